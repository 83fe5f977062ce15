"""What operators set for every inspection, checked once at start."""

from pathlib import Path

from bessemer.config.load import BadSettings
from bessemer.config.settings import Settings
from bessemer.domain.inspection.built_in import parse_built_in_rules
from bessemer.domain.inspection.port_plan import AddPorts, KeepPorts, PortPolicy
from bessemer.domain.inspection.rule import InspectionRule
from bessemer.kernel.error import InvalidValue


def port_policy(settings: Settings) -> PortPolicy:
    """Raises BadSettings."""
    inspector = settings.inspector
    try:
        add, keep = AddPorts(inspector.add_ports), KeepPorts(inspector.keep_ports)
    except ValueError as error:
        raise BadSettings(
            f"[inspector]: {error}.",
            hint=f"add_ports: {', '.join(AddPorts)}; keep_ports: {', '.join(KeepPorts)}.",
        ) from error
    return PortPolicy(add=add, keep=keep, update_pxe=inspector.update_pxe_enabled)


def built_in_rules(settings: Settings) -> tuple[InspectionRule, ...]:
    """The rules of ``[inspection_rules]built_in_rules``. Raises BadSettings."""
    name = settings.inspection_rules.built_in_rules
    if not name:
        return ()
    try:
        return parse_built_in_rules(Path(name).read_bytes())
    except OSError as error:
        raise BadSettings(f"[inspection_rules]built_in_rules: {name}: {error.strerror}.") from error
    except InvalidValue as error:
        raise BadSettings(f"[inspection_rules]built_in_rules: {name}: {error}") from error
