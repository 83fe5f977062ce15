"""The background duties of a conductor, as the settings want them."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from bessemer.config.settings import Settings
from bessemer.engine.reconcile.chore import Chores
from bessemer.engine.reconcile.prune import audit_chore, history_look, prune_chores
from bessemer.engine.reconcile.sweep import Look, Sweep
from bessemer.hardware.redfish.event import RedfishEvents
from bessemer.kernel.error import Unavailable
from bessemer.server.foundation import Foundation
from bessemer.store.duty import EVENTS, HEALTH, HISTORY, POWER, SENSORS, ensure_node_duties
from bessemer.workflow.reconcile.event import EventCare
from bessemer.workflow.reconcile.farewell import Farewells, farewell_chore
from bessemer.workflow.reconcile.health import HealthCheck
from bessemer.workflow.reconcile.machine import Machines
from bessemer.workflow.reconcile.orphan import orphan_chore
from bessemer.workflow.reconcile.power import PowerSync
from bessemer.workflow.reconcile.sensor import SensorReading

#: Runs until cancelled.
Duty = Callable[[], Coroutine[Any, Any, None]]

#: Between prunings, in seconds.
_PRUNE_S, _DAY_S = 3600.0, 86400.0
#: Nodes whose history is trimmed at once.
_TRIMMERS = 4
#: Between looks for nodes due, where minutes do not matter.
_SELDOM_S = 30.0


def duties(foundation: Foundation) -> dict[str, Duty]:
    """Those that are switched on, by what they are called in logs."""
    settings = foundation.settings
    found: dict[str, Duty] = {
        "BMC connections": foundation.pool.run,
        "chores": _chores(foundation).run,
    }
    machines, host = Machines(foundation.composition), settings.default.host
    conductor, database = settings.conductor, foundation.database
    event_poll_s = float(settings.redfish.event_poll_interval if settings.redfish.event_subscriptions else 0)
    if conductor.node_history_cleanup_interval > 0:
        found["history"] = partial(_history(foundation).run, look_s=_SELDOM_S)
    if conductor.sync_power_state_interval > 0:
        sync = PowerSync(database, machines, foundation.gateway, conductor, host, event_poll_s=event_poll_s)
        found["power sync"] = _sweep(foundation, POWER, sync.look, conductor.sync_power_state_interval)
    if conductor.enable_health_monitoring and conductor.health_check_interval > 0:
        interval_s = conductor.health_check_interval
        health = HealthCheck(database, machines, interval_s=interval_s, host=host, event_poll_s=event_poll_s)
        found["health"] = _sweep(foundation, HEALTH, health.look, interval_s)
    if settings.sensor_data.send_sensor_data:
        interval_s = settings.sensor_data.interval
        sensors = SensorReading(database, machines, interval_s=interval_s, host=host)
        found["sensors"] = _sweep(foundation, SENSORS, sensors.look, interval_s)
    if "redfish" in foundation.composition.hardware_types():
        found["subscriptions to events"] = partial(_look_after_events, foundation, machines)
    return found


async def _look_after_events(foundation: Foundation, machines: Machines) -> None:
    """Subscriptions at BMCs, as the settings want them: there, or taken away."""
    settings, database = foundation.settings, foundation.database
    farewells = Farewells(database, RedfishEvents(foundation.pool), settings.conductor.conductor_group)
    if not settings.redfish.event_subscriptions:
        await _persistently(farewells.leave_all)
        await farewells.run(look_s=_SELDOM_S)
        return

    async def enrol() -> None:
        async with database.write() as tx:
            await ensure_node_duties(tx, EVENTS)

    await _persistently(enrol)
    care = EventCare(database, machines, settings.redfish, base_url=foundation.events_url)
    sweep = _sweep(foundation, EVENTS, care.look, settings.redfish.event_check_interval)
    async with asyncio.TaskGroup() as group:
        group.create_task(sweep(), name="look after subscriptions")
        group.create_task(farewells.run(), name="take subscriptions away")


async def _persistently(work: Duty) -> None:
    """Do ``work`` once, as soon as the database is there."""
    while True:
        try:
            await work()
        except Unavailable:
            await asyncio.sleep(_SELDOM_S)
        else:
            return


def _sweep(foundation: Foundation, duty: str, look: Look, interval_s: float) -> Duty:
    conductor = foundation.settings.conductor
    return Sweep(
        foundation.database,
        duty,
        conductor.conductor_group,
        look,
        interval_s=interval_s,
        workers=conductor.sync_power_state_workers,
        drivers=sorted({one.hardware_type for one in foundation.composition.registrations()}),
    ).run


def _history(foundation: Foundation) -> Sweep:
    conductor = foundation.settings.conductor
    interval_s = conductor.node_history_cleanup_interval
    look = history_look(
        foundation.database,
        keep=conductor.node_history_max_entries,
        minimum_days=conductor.node_history_minimum_days,
        interval_s=interval_s,
    )
    group = conductor.conductor_group
    return Sweep(
        foundation.database, HISTORY, group, look, interval_s=interval_s, workers=_TRIMMERS, drivers=()
    )


def _chores(foundation: Foundation) -> Chores:
    settings: Settings = foundation.settings
    database = foundation.database
    chores = prune_chores(
        database,
        operation_days=settings.database.keep_operations_days,
        event_days=settings.database.keep_events_days,
        conductor_days=settings.database.keep_conductors_days,
        interval_s=_PRUNE_S,
    )
    if settings.audit.keep_days > 0:
        command = f"conductor {settings.default.host}"
        chores.append(
            audit_chore(database, keep_days=settings.audit.keep_days, interval_s=_DAY_S, command=command)
        )
    chores += [orphan_chore(database, settings.default.host), farewell_chore(database)]
    return Chores(database, chores)
