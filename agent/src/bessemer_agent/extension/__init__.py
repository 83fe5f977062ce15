"""The commands the service can send: one module per extension, one function per command.

A function takes the context, the progress to report, and the command's parameters by name; it is imported
when it is first called, which keeps the agent's start short.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple, cast

from bessemer_agent.error import InvalidRequest, NotFound


class Command(NamedTuple):
    """One command: whether it answers at once, and its parameters."""

    name: str
    is_async: bool
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        """The name without its extension, as results carry it."""
        return self.name.partition(".")[2]

    def load(self) -> Callable[..., Any]:
        """The function behind it."""
        return self._load(self.short_name)

    def check(self, params: dict[str, object]) -> None:
        """Refuse missing and unknown parameters, and what the command itself can refuse beforehand.

        Raises:
            InvalidRequest: The parameters do not fit.
        """
        missing = [name for name in self.required if params.get(name) is None]
        if missing:
            raise InvalidRequest(f"{self.name} needs {', '.join(missing)}")
        for name in params:
            if name not in self.required + self.optional:
                # Services recognise these words, and send the command again without the parameter.
                raise InvalidRequest(f"TypeError: {self.name} got an unexpected keyword argument '{name}'")
        if self.name in _CHECKED:
            self._load(f"check_{self.short_name}")(**params)

    def _load(self, function: str) -> Callable[..., Any]:
        extension = self.name.partition(".")[0]
        module: Any = import_module(f"bessemer_agent.extension.{extension}")
        return cast("Callable[..., Any]", getattr(module, function))


_STEP = ("step", "node", "ports")
_COMMANDS = (
    Command("clean.get_clean_steps", False, ("node", "ports")),
    Command("clean.execute_clean_step", True, _STEP, ("clean_version",)),
    Command("deploy.get_deploy_steps", False, ("node", "ports")),
    Command("deploy.execute_deploy_step", True, _STEP, ("deploy_version",)),
    Command("service.get_service_steps", False, ("node", "ports")),
    Command("service.execute_service_step", True, _STEP, ("service_version",)),
    Command("standby.prepare_image", True, ("image_info",), ("configdrive",)),
    Command("standby.get_partition_uuids", False),
    Command("standby.sync", False),
    Command("standby.power_off", True),
    Command("standby.run_image", True),
    Command(
        "image.install_bootloader",
        True,
        (),
        (
            "root_uuid",
            "efi_system_part_uuid",
            "prep_boot_part_uuid",
            "target_boot_mode",
            "ignore_bootloader_failure",
        ),
    ),
    Command("poll.get_hardware_info", False),
    Command("poll.set_node_info", False, ("node_info",)),
    Command("rescue.finalize_rescue", False, ("rescue_password",), ("hashed",)),
    Command("log.collect_system_logs", False),
    Command("system.lockdown", False),
)
#: Commands whose parameters are checked further before they start, by ``check_<command>``.
_CHECKED = frozenset({"standby.prepare_image", "rescue.finalize_rescue"})


def find_command(name: str) -> Command:
    """The command called ``<extension>.<command>``.

    Raises:
        NotFound: There is none.
    """
    found = next((command for command in _COMMANDS if command.name == name), None)
    if found is None:
        raise NotFound(f"there is no command {name!r} in this agent")
    return found
