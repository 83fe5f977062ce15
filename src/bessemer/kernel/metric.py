"""Every figure that the process keeps of its own work, for Prometheus. Counting is always on; showing is not.

Labels take few values, all of them known to the program: no nodes, no projects, no paths. What is counted
where: each module counts what it does.
Source: Prometheus, "Metric and label naming" (base units, ``_total``, ``_seconds``).
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from bessemer.kernel.histogram import Histogram

#: Upper bounds in seconds: of answers, of calls to machines, of work.
_ANSWER_S = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_CALL_S = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_WORK_S = (0.1, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
_LAG_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

REGISTRY: Final = CollectorRegistry()

API_REQUESTS: Final = Histogram(
    "bessemer_api_request_duration_seconds",
    "Requests answered by the API, by method, route and status.",
    ("method", "route", "status"),
    buckets=_ANSWER_S,
    registry=REGISTRY,
)
OPERATIONS: Final = Counter(
    "bessemer_operations",
    "Operations that came to their end in this process, by kind and how they ended.",
    ("kind", "state"),
    registry=REGISTRY,
)
OPERATION_S: Final = Histogram(
    "bessemer_operation_duration_seconds",
    "From the moment an operation was begun to its end, waiting included.",
    ("kind",),
    buckets=_WORK_S,
    registry=REGISTRY,
)
QUEUED_S: Final = Histogram(
    "bessemer_operation_queued_seconds",
    "From the moment an operation was asked for to the moment it was begun.",
    ("kind",),
    buckets=_WORK_S,
    registry=REGISTRY,
)
STEP_S: Final = Histogram(
    "bessemer_step_duration_seconds",
    "Steps of operations, waiting included, by what ended them: done, failed, retried, undone, cancelled.",
    ("kind", "step", "event"),
    buckets=_WORK_S,
    registry=REGISTRY,
)
BMC_S: Final = Histogram(
    "bessemer_bmc_request_duration_seconds",
    "Calls to BMCs with their retries, by the machine's vendor.",
    ("vendor", "method"),
    buckets=_CALL_S,
    registry=REGISTRY,
)
BMC_ERRORS: Final = Counter(
    "bessemer_bmc_errors",
    "Calls to BMCs that failed, by the machine's vendor and the code of the error.",
    ("vendor", "code"),
    registry=REGISTRY,
)
MACHINE_EVENTS: Final = Counter(
    "bessemer_machine_events",
    "Events brought by BMCs: taken, gathered with one before that still waits for its look, or refused.",
    ("outcome",),
    registry=REGISTRY,
)
LOOP_LAG_S: Final = Histogram(
    "bessemer_event_loop_lag_seconds",
    "How much later than asked for the event loop woke a task up.",
    buckets=_LAG_S,
    registry=REGISTRY,
)
DATABASE_WAIT_S: Final = Histogram(
    "bessemer_database_wait_seconds",
    "Waits for the turn to write (SQLite) or for a pooled connection, of those who had to wait.",
    ("wait",),
    buckets=_ANSWER_S,
    registry=REGISTRY,
)

#: Vendors told apart, as their names begin.
_VENDORS: Final = (
    "ami", "asrock", "cisco", "contoso", "dell", "fujitsu", "gigabyte", "hpe", "hewlett", "huawei", "ibm",
    "inspur", "intel", "lenovo", "nokia", "nvidia", "qemu", "quanta", "sushy", "supermicro", "wiwynn",
    "xfusion", "zte",
)  # fmt: skip


def vendor_label(name: str | None) -> str:
    """The label of a vendor: ``unknown`` before it is known, ``other`` where it is none of the usual."""
    if not name:
        return "unknown"
    found = next((vendor for vendor in _VENDORS if name.lower().startswith(vendor)), "other")
    return "hpe" if found == "hewlett" else found
