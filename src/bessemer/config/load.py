"""Reads settings once: defaults, then the INI file, then ``OS_<SECTION>__<OPTION>`` in the environment.

oslo.config does the reading, so files look and behave as operators of OpenStack expect. What the file says
and nobody knows is reported, never silently dropped.
"""

import dataclasses
import os
import socket
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oslo_config import cfg

from bessemer.config.settings import DatabaseSettings, Settings
from bessemer.kernel.error import BessemerError, Fault
from bessemer.kernel.secret import Secret

_KINDS: dict[Any, Any] = {
    str: cfg.StrOpt,
    Secret: cfg.StrOpt,
    int: cfg.IntOpt,
    float: cfg.FloatOpt,
    bool: cfg.BoolOpt,
    list: cfg.ListOpt,
    dict: cfg.DictOpt,
}


class BadSettings(BessemerError):
    """The settings cannot be used as they are."""

    code = "bad-settings"
    fault = Fault.OPERATOR


def load_settings(config_file: Path | None = None) -> tuple[Settings, list[str]]:
    """The settings, and what in the file nobody understands (``section.option``).

    Raises:
        BadSettings: The file is missing or unreadable, or a value has the wrong form or is too small.
    """
    conf = cfg.ConfigOpts()
    for section, options in declared().items():
        conf.register_opts(options, group=None if section == "DEFAULT" else section)
    try:
        conf(args=[], project="bessemer", default_config_files=[str(config_file)] if config_file else [])
        sections = {
            field.name: _section(conf, field.name, _record(field)) for field in dataclasses.fields(Settings)
        }
    except (cfg.Error, ValueError) as error:
        raise BadSettings(f"The settings cannot be read: {error}") from error
    unknown = sorted(_unknown(conf, config_file)) if config_file else []
    return _completed(Settings(**sections), config_file), unknown


def declared() -> dict[str, list[cfg.Opt]]:
    """Every option of every section, as oslo.config knows them (also for the sample generator)."""
    return {
        _title(field.name): [_option(_record(field), option) for option in dataclasses.fields(_record(field))]
        for field in dataclasses.fields(Settings)
    }


def list_options() -> list[tuple[str, list[cfg.Opt]]]:
    """Entry point of ``oslo-config-generator``."""
    return list(declared().items())


def state_directory() -> Path:
    """Where an ordinary user's program keeps its data. Source: XDG base directory specification."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "bessemer"


def _title(field: str) -> str:
    return "DEFAULT" if field == "default" else field


def _record(field: dataclasses.Field[Any]) -> Any:
    return typing.get_type_hints(Settings)[field.name]


def _option(record: Any, field: dataclasses.Field[Any]) -> cfg.Opt:
    kind = _kind(record, field.name)
    origin = typing.get_origin(kind) or kind
    default = field.default if field.default is not dataclasses.MISSING else None
    if field.default_factory is not dataclasses.MISSING:
        default = field.default_factory()
    bounds = {"min": field.metadata["least"]} if origin in {int, float} else {}
    option: cfg.Opt = _KINDS[origin](
        field.name, default=default, help=field.metadata["help"], secret=kind is Secret, **bounds
    )
    return option


def _kind(record: Any, name: str) -> Any:
    """The type of a field, without the None that says it may be unset."""
    kind = typing.get_type_hints(record)[name]
    if isinstance(kind, types.UnionType):
        kind = next(arg for arg in typing.get_args(kind) if arg is not type(None))
    return kind


def _section(conf: cfg.ConfigOpts, name: str, record: Any) -> Any:
    group = conf if name == "default" else conf[name]
    return record(**{field.name: _value(record, field.name, group) for field in dataclasses.fields(record)})


def _value(record: Any, name: str, group: Any) -> Any:
    given = getattr(group, name)
    return Secret(given) if _kind(record, name) is Secret and given is not None else given


def _unknown(conf: cfg.ConfigOpts, config_file: Path) -> Iterator[str]:
    known = {section: {option.dest for option in options} for section, options in declared().items()}
    written: dict[str, dict[str, list[str]]] = {}
    cfg.ConfigParser(str(config_file), written).parse()
    for section, options in written.items():
        for name in options:
            if name not in known.get(section, set()):
                yield f"[{section}]{name}"


def _completed(settings: Settings, config_file: Path | None) -> Settings:
    """Fill in what depends on this machine: host name, state directory, database, places of policy files.
    Connections without a limit, as Ironic may have them, are as many as when nothing is said. Names of
    conductor groups are in lower case, as nodes' are."""
    default = settings.default
    state_path = default.state_path or str(state_directory())
    default = dataclasses.replace(default, host=default.host or socket.gethostname(), state_path=state_path)
    connection = settings.database.connection or f"sqlite:///{state_path}/bessemer.sqlite"
    key_file = settings.database.key_file or f"{state_path}/key"
    pool_size = settings.database.max_pool_size or DatabaseSettings().max_pool_size
    database = dataclasses.replace(
        settings.database, connection=connection, key_file=key_file, max_pool_size=pool_size
    )
    base = config_file.absolute().parent if config_file else Path(state_path).absolute()
    policy = dataclasses.replace(
        settings.oslo_policy,
        policy_file=str(base / settings.oslo_policy.policy_file),
        policy_dirs=[str(base / name) for name in settings.oslo_policy.policy_dirs],
    )
    group = settings.conductor.conductor_group.lower()
    conductor = dataclasses.replace(settings.conductor, conductor_group=group)
    return dataclasses.replace(
        settings, default=default, database=database, conductor=conductor, oslo_policy=policy
    )
