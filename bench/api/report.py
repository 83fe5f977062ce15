"""Tables of what was measured."""

import sys
from collections.abc import Sequence

from bench.api import call
from bench.api.measure import Figure, Result


def alone(title: str, result: Result) -> None:
    """One server's figures beside those of design.md."""
    _write(f"\n{title}")
    heads = f"{'CPU':>9}{'p50':>9}{'p99':>9}{'Ironic CPU*':>13}{'cheaper':>9}{'wanted':>8}"
    _write(f"  {'ms per operation':27}{heads}")
    for goal in call.GOALS:
        figure = result.figures[goal.title]
        known = goal.ironic_ms
        beside = f"{known:13.1f}{known / figure.cpu_ms:8.1f}x" if known is not None else f"{'-':>13}{'-':>9}"
        wanted = f"{goal.factor}x" if goal.factor else "-"
        _write(f"  {goal.title:27}{_own(figure)}{beside}{wanted:>8}")
    start, memory = f"{result.first_answer_s:.2f} s", f"{result.resident_mib:.0f} MiB"
    _write(f"  first answer {start} after the start, {memory} resident")
    _write("  * of design.md. Latency of the last two: twenty nodes at once, until all are done.")


def beside(ours: Result, theirs: Result, family: str) -> bool:
    """Both servers' figures and their ratios; whether all that is required is fulfilled."""
    _write(f"\n{family}, {theirs.nodes} nodes; CPU and latency in ms per operation")
    heads = (
        f"{'Bessemer':>9}{'p50':>9}{'p99':>9}{'Ironic':>12}{'p50':>9}{'p99':>9}{'cheaper':>10}{'wanted':>8}"
    )
    _write(f"  {'':27}{heads}")
    verdicts = []
    for goal in call.GOALS:
        own, other = ours.figures[goal.title], theirs.figures[goal.title]
        ratio = other.cpu_ms / own.cpu_ms
        verdict = ""
        if goal.factor is not None:
            verdicts.append(ratio >= goal.factor)
            verdict = f"{goal.factor}x  {_word(verdicts[-1])}"
        _write(f"  {goal.title:27}{_own(own)}   {_own(other)}{ratio:9.1f}x{verdict:>14}")
    _write(
        f"  resident {ours.resident_mib:.0f} MiB and {theirs.resident_mib:.0f} MiB; first answer after"
        f" {ours.first_answer_s:.2f} s and {theirs.first_answer_s:.2f} s"
    )
    return all(verdicts)


def bounds(results: Sequence[tuple[str, float, float, str]]) -> bool:
    """What is bounded by itself: title, figure, bound, unit; whether all are kept."""
    for title, found, bound, unit in results:
        _write(f"  {title:50}{found:8.2f} {unit:4} wanted at most {bound:g} {unit}  {_word(found <= bound)}")
    return all(found <= bound for _, found, bound, _ in results)


def _own(figure: Figure) -> str:
    return f"{figure.cpu_ms:9.2f}{figure.p50_ms:9.2f}{figure.p99_ms:9.2f}"


def _word(is_kept: bool) -> str:
    return "PASS" if is_kept else "FAIL"


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
