"""What Prometheus is told of the BMCs there are."""

from bessemer.config.settings import RedfishSettings
from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.server.metric.bmc import BmcCensus


def told(pool: BmcPool) -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix("bessemer_"), *sample.labels.values()): sample.value
        for family in BmcCensus(pool).collect()
        for sample in family.samples
    }


def test_bmcs_are_counted_by_whether_they_answer_and_what_was_learned_of_them_is_told_by_shares() -> None:
    pool = BmcPool(RedfishSettings(request_timeout=60))
    for number in range(100):
        bmc = pool.coordinator(Access(f"https://bmc-{number}"))
        bmc.patience.learn(9.0 if number == 99 else 0.1)
    bmc.circuit.note_silence("no answer")
    figures = told(pool)
    assert (figures["bmcs", "answering"], figures["bmcs", "silent"]) == (99, 1)
    assert (figures["bmc_usual_answer_seconds", "0.5"], figures["bmc_usual_answer_seconds", "0.99"]) == (
        0.1,
        9,
    )
    assert figures["bmc_patience_seconds", "0.5"] == 5  # none is given less
    assert figures["bmc_patience_seconds", "0.99"] == 27  # its mean and four deviations


def test_a_process_that_knows_no_bmc_tells_of_none() -> None:
    assert told(BmcPool(RedfishSettings())) == {("bmcs", "answering"): 0, ("bmcs", "silent"): 0}
