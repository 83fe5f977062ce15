"""Writes ``dashboard.json`` for Grafana from the panels below: ``python docs/monitoring/build.py``.

Figures of the whole service are told by every process alike, so they are taken as ``max``; all others are
sums over processes. Source: Grafana, "Dashboard JSON model"; Prometheus, "Query functions".
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
#: Grafana's grid: this many columns, and rows of this height for one panel.
_COLUMNS, _HEIGHT = 24, 8
_METRIC = re.compile(r"\b((?:bessemer|process)_[a-z_]+)(\{)?")
#: Steps that did not simply go well.
_TROUBLE = "bessemer_step_duration_seconds_count{event=~'failed|retried|undo failed'}"
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Panel:
    """``queries`` are pairs of an expression and what its series are called. ``width`` is in grid columns."""

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    meaning: str = ""
    kind: str = "timeseries"
    width: int = 8
    height: int = _HEIGHT


def rate(metric: str) -> str:
    return f"rate({metric}[$__rate_interval])"


def quantile(share: float, metric: str, *by: str) -> str:
    return f"histogram_quantile({share}, sum by ({', '.join(('le', *by))}) ({rate(metric + '_bucket')}))"


def average(metric: str, *by: str) -> str:
    total, count = rate(f"{metric}_sum"), rate(f"{metric}_count")
    return f"sum by ({', '.join(by)}) ({total}) / sum by ({', '.join(by)}) ({count})"


def stat(title: str, unit: str, expression: str, meaning: str) -> Panel:
    return Panel(title, unit, ((expression, ""),), meaning, kind="stat", width=6, height=4)


ROWS: dict[str, tuple[Panel, ...]] = {
    "The service": (
        stat("Conductors alive", "none", "max(bessemer_conductors_alive)", "Those that hold a lease."),
        stat("Database", "bool_yes_no", "min(bessemer_database_up)", "Whether it answers every process."),
        stat(
            "Operations open",
            "none",
            "sum(max by (kind, state) (bessemer_operations_open))",
            "Queued, running, waiting.",
        ),
        stat("Oldest in the queue", "s", "max(bessemer_queue_age_seconds)", "Age of what waits longest."),
    ),
    "Operations": (
        Panel(
            "Open, by state",
            "none",
            (("sum by (state) (max by (kind, state) (bessemer_operations_open))", "{{state}}"),),
        ),
        Panel(
            "Ended, per minute",
            "none",
            ((f"60 * sum by (kind, state) ({rate('bessemer_operations_total')})", "{{kind}} {{state}}"),),
        ),
        Panel(
            "Duration, 95 %",
            "s",
            ((quantile(0.95, "bessemer_operation_duration_seconds", "kind"), "{{kind}}"),),
            "From begin to end, waiting included.",
        ),
        Panel(
            "Time in the queue, 95 %",
            "s",
            ((quantile(0.95, "bessemer_operation_queued_seconds", "kind"), "{{kind}}"),),
            "Of those that were begun.",
        ),
        Panel(
            "Age of the oldest queued, by limit",
            "s",
            (("max by (pool) (bessemer_queue_age_seconds)", "{{pool}}"),),
        ),
        Panel(
            "Steps that fail or are tried again, per minute",
            "none",
            (
                (
                    f"60 * sum by (kind, step, event) ({rate(_TROUBLE)})",
                    "{{kind}}: {{step}} {{event}}",
                ),
            ),
        ),
        Panel(
            "Slowest steps, on average",
            "s",
            (
                (
                    f"topk(10, {average('bessemer_step_duration_seconds', 'kind', 'step')})",
                    "{{kind}}: {{step}}",
                ),
            ),
            width=24,
        ),
    ),
    "API": (
        Panel(
            "Requests, per second",
            "reqps",
            ((f"sum by (status) ({rate('bessemer_api_request_duration_seconds_count')})", "{{status}}"),),
        ),
        Panel(
            "Latency",
            "s",
            tuple(
                (quantile(share, "bessemer_api_request_duration_seconds"), f"{share:.0%}")
                for share in (0.5, 0.9, 0.99)
            ),
        ),
        Panel(
            "Slowest routes, 95 %",
            "s",
            (
                (
                    f"topk(5, {quantile(0.95, 'bessemer_api_request_duration_seconds', 'method', 'route')})",
                    "{{method}} {{route}}",
                ),
            ),
        ),
    ),
    "BMCs": (
        Panel(
            "Calls, per second",
            "reqps",
            ((f"sum by (vendor) ({rate('bessemer_bmc_request_duration_seconds_count')})", "{{vendor}}"),),
        ),
        Panel(
            "Time of calls, 95 %",
            "s",
            (
                (
                    quantile(0.95, "bessemer_bmc_request_duration_seconds", "vendor", "method"),
                    "{{vendor}} {{method}}",
                ),
            ),
            "With their retries and their wait for a turn.",
        ),
        Panel(
            "Failed calls, per second",
            "reqps",
            ((f"sum by (vendor, code) ({rate('bessemer_bmc_errors_total')})", "{{vendor}} {{code}}"),),
        ),
        Panel("BMCs called lately", "none", (("sum by (state) (bessemer_bmcs)", "{{state}}"),)),
        Panel(
            "What BMCs need for an answer",
            "s",
            (
                ("max by (share) (bessemer_bmc_usual_answer_seconds)", "usually, {{share}} of them"),
                ("max by (share) (bessemer_bmc_patience_seconds)", "at most, {{share}} of them"),
            ),
        ),
        Panel(
            "Events brought, per second",
            "reqps",
            ((f"sum by (outcome) ({rate('bessemer_machine_events_total')})", "{{outcome}}"),),
        ),
    ),
    "Processes": (
        Panel(
            "Event loop lag, 99 %",
            "s",
            ((quantile(0.99, "bessemer_event_loop_lag_seconds", "instance"), "{{instance}}"),),
        ),
        Panel(
            "CPU, cores",
            "none",
            ((f"sum by (instance) ({rate('process_cpu_seconds_total')})", "{{instance}}"),),
        ),
        Panel("Memory", "bytes", (("process_resident_memory_bytes", "{{instance}}"),)),
        Panel(
            "Waits for the database, 99 %",
            "s",
            ((quantile(0.99, "bessemer_database_wait_seconds", "wait"), "{{wait}}"),),
            "Of those who had to wait.",
        ),
        Panel(
            "Database connections",
            "none",
            (
                (
                    "sum by (instance, pool, state) (bessemer_database_connections)",
                    "{{instance}} {{pool}} {{state}}",
                ),
            ),
        ),
        Panel(
            "Open files, share of what is allowed",
            "percentunit",
            (("process_open_fds / process_max_fds", "{{instance}}"),),
        ),
    ),
}


def of_job(expression: str) -> str:
    """``expression`` for the processes that were chosen."""
    return _METRIC.sub(
        lambda found: found[1] + ('{job=~"$job",' if found[2] else '{job=~"$job"}'), expression
    )


def dashboard() -> dict[str, Any]:
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append(_placed({"type": "row", "title": title, "collapsed": False}, 0, y, _COLUMNS, 1))
        x, y = 0, y + 1
        for panel in row:
            if x + panel.width > _COLUMNS:
                x, y = 0, y + panel.height
            panels.append(_placed(_drawn(panel), x, y, panel.width, panel.height))
            x += panel.width
        y += row[-1].height
    return {
        "uid": "bessemer",
        "title": "Bessemer",
        "tags": ["bare metal"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [{"id": number, **panel} for number, panel in enumerate(panels, 1)],
    }


def _variables() -> list[dict[str, Any]]:
    query = "label_values(bessemer_database_up, job)"
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "job", "label": "Job", "type": "query", "datasource": _DATASOURCE, "query": query,
            "definition": query, "refresh": 2, "includeAll": True, "multi": True,
            "current": {"text": "All", "value": "$__all"},
        },
    ]  # fmt: skip


def _placed(panel: dict[str, Any], x: int, y: int, width: int, height: int) -> dict[str, Any]:
    return {**panel, "gridPos": {"x": x, "y": y, "w": width, "h": height}}


def _drawn(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + number), "expr": of_job(expression), "legendFormat": legend}
            for number, (expression, legend) in enumerate(panel.queries)
        ],
    }


def written() -> str:
    return json.dumps(dashboard(), indent=1) + "\n"


if __name__ == "__main__":
    (HERE / "dashboard.json").write_text(written())
