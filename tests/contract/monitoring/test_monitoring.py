"""The dashboard and the alerts ask for figures that there are, and leave none out by mistake."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bessemer.config.settings import RedfishSettings
from bessemer.domain.operation import NewOperation
from bessemer.engine.gateway import Gateway
from bessemer.hardware.redfish.access import Access
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.kernel.histogram import Histogram
from bessemer.kernel.metric import REGISTRY
from bessemer.server.metric.listener import metrics_app
from bessemer.store.database import Database
from fakes.api_client import ApiClient
from fakes.engine import Record, a_node_uuid
from fakes.promql import NoQuery, read_query

MONITORING = Path(__file__).parents[3] / "docs" / "monitoring"
GUIDE = (MONITORING.parent / "guide" / "observability.md").read_text()
#: Given to every series by who collects it.
OF_PROMETHEUS = {"instance", "job"}
#: On no panel, on purpose.
LEFT_OUT = {
    "process_virtual_memory_bytes": "nobody can act on it; resident memory is shown",
    "process_start_time_seconds": "restarts show in every other figure",
}

Known = dict[str, set[str]]


@pytest.fixture
def family() -> str:
    return "sqlite"


async def known(database: Database) -> Known:
    """Every series that a process shows when it has something to tell, with its labels."""
    record, pool = Record(), BmcPool(RedfishSettings())
    pool.coordinator(Access("https://bmc")).patience.learn(0.1)
    uuid = await a_node_uuid(database)
    async with database.write() as tx:
        await Gateway([record.workflow(record.step("a"))]).enqueue(
            tx, NewOperation(node_uuid=uuid, kind="toy")
        )
    for instrument in REGISTRY._collector_to_names:  # so that each has a series
        names = instrument.label_names if isinstance(instrument, Histogram) else instrument._labelnames
        if names:
            instrument.labels(*names)
    reply = await ApiClient(metrics_app(database, pool), None).get("/metrics")
    found: Known = {}
    for shown in text_string_to_metric_families(reply.body.decode()):
        for sample in shown.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    await pool.close()
    return {name: labels for name, labels in found.items() if not name.endswith("_created")}


def panels() -> list[dict[str, Any]]:
    document = json.loads((MONITORING / "dashboard.json").read_text())
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def alerts() -> list[dict[str, Any]]:
    document = yaml.safe_load((MONITORING / "alerts.yaml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def queries() -> dict[str, str]:
    """What is asked for, by who asks."""
    of_panels = {f"{p['title']} {t['refId']}": t["expr"] for p in panels() for t in p["targets"]}
    return of_panels | {rule["alert"]: rule["expr"] for rule in alerts()}


async def test_every_query_asks_for_series_and_labels_that_there_are(database: Database) -> None:
    there = await known(database) | {"up": set()}
    for who, text in queries().items():
        query = read_query(text)
        for name, labels in query.labels.items():
            assert name in there, f"{who}: there is no {name}"
            assert labels <= there[name] | OF_PROMETHEUS, f"{who}: {name} has no {labels - there[name]}"
        for labels, names in query.grouped:
            for name in names:
                assert labels <= there[name] | OF_PROMETHEUS, f"{who}: {name} has no {labels - there[name]}"


async def test_every_figure_of_ours_is_on_the_dashboard_or_left_out_on_purpose(database: Database) -> None:
    shown = {name for panel in panels() for t in panel["targets"] for name in read_query(t["expr"]).labels}

    def family_of(name: str) -> str:
        return re.sub(r"_(bucket|sum|count)$", "", name)

    missing = {family_of(name) for name in await known(database)} - set(map(family_of, shown))
    assert missing == set(LEFT_OUT)


async def test_every_figure_of_ours_is_explained_in_the_guide(database: Database) -> None:
    for name in await known(database):
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert f"| `{family}`" in GUIDE or family.startswith("process_"), f"{family} is not explained"


async def test_names_of_series_and_words_of_alerts_use_labels_that_are_left(database: Database) -> None:
    there = await known(database) | {"up": set()}
    texts = [(p["title"], t["expr"], t["legendFormat"]) for p in panels() for t in p["targets"]]
    texts += [(rule["alert"], rule["expr"], rule["annotations"]["summary"]) for rule in alerts()]
    for who, expression, text in texts:
        used = set(re.findall(r"\{\{(\w+)\}\}", text)) | set(re.findall(r"\$labels\.(\w+)", text))
        assert used <= left(expression, there), f"{who} tells of {used}"


def left(expression: str, there: Known) -> set[str]:
    """Labels that the outermost grouping leaves, or all where nothing is grouped."""
    query = read_query(expression)
    groups = [labels for labels, _ in query.grouped if labels or not expression.startswith("topk")]
    if groups:
        return groups[-1] - {"le"}
    return OF_PROMETHEUS.union(*(there[name] for name in query.labels))


def test_the_dashboard_is_what_its_program_writes() -> None:
    spec = importlib.util.spec_from_file_location("build", MONITORING / "build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    sys.modules["build"] = build  # dataclasses look their module up
    try:
        spec.loader.exec_module(build)
    finally:
        del sys.modules["build"]
    assert build.written() == (MONITORING / "dashboard.json").read_text()


def test_panels_have_names_of_their_own_and_do_not_cover_each_other() -> None:
    document = json.loads((MONITORING / "dashboard.json").read_text())
    assert len({panel["title"] for panel in panels()}) == len(panels())
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_alert_says_how_bad_it_is_and_is_explained_in_the_guide() -> None:
    for rule in alerts():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert re.fullmatch(r"\d+[mh]", rule["for"])
        assert f"`{rule['alert']}`" in GUIDE


@pytest.mark.parametrize(
    "text",
    [
        "sum by (kind (a)",
        "rate(a)",
        "sum(a) by",
        "a{kind=1}",
        "a b",
        "histogram_quantile(0.9, a_count)",
        "topk(a)",
        "a >",
        "unknown(a)",
    ],
)
def test_what_is_no_query_is_refused(text: str) -> None:
    with pytest.raises(NoQuery):
        read_query(text)
