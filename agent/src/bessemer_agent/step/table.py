"""Which steps there are."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Phase(StrEnum):
    """When steps run."""

    CLEAN = "clean"
    DEPLOY = "deploy"
    SERVICE = "service"


class Arg(NamedTuple):
    """One argument of a step."""

    description: str
    is_required: bool = False


class Step(NamedTuple):
    """One step. Priorities are the built-in ones; 0 runs only when asked for, and services may override
    them.
    """

    name: str
    #: ``module.function`` in this package.
    function: str
    priorities: Mapping[Phase, int]
    args: Mapping[str, Arg] = {}
    is_abortable: bool = False
    interface: str = "deploy"


STEPS = (
    Step(
        "erase_devices_metadata",
        "erase.erase_devices_metadata",
        {Phase.CLEAN: 99, Phase.DEPLOY: 0},
        is_abortable=True,
    ),
    Step("erase_devices", "erase.erase_devices", {Phase.CLEAN: 10}, is_abortable=True),
    Step("erase_devices_express", "erase.erase_devices_express", {Phase.CLEAN: 0}, is_abortable=True),
    Step("erase_pstore", "firmware.erase_pstore", {Phase.CLEAN: 0}, is_abortable=True),
    Step(
        "clean_uefi_nvram",
        "firmware.clean_uefi_nvram",
        {Phase.CLEAN: 0, Phase.DEPLOY: 0, Phase.SERVICE: 0},
        args={
            "match_patterns": Arg(
                "Regular expressions; boot entries whose label or device path matches one are removed."
                " Default: entries of disks."
            )
        },
    ),
    Step(
        "create_configuration",
        "raid.create_configuration",
        {Phase.CLEAN: 0, Phase.SERVICE: 0},
        args={"delete_existing": Arg("Delete existing arrays first. Default: false.")},
        interface="raid",
    ),
    Step(
        "delete_configuration",
        "raid.delete_configuration",
        {Phase.CLEAN: 0, Phase.SERVICE: 0},
        interface="raid",
    ),
    Step(
        "apply_configuration",
        "raid.apply_configuration",
        {Phase.DEPLOY: 0, Phase.SERVICE: 0},
        args={
            "raid_config": Arg("The logical disks to create.", is_required=True),
            "delete_existing": Arg("Delete existing arrays first. Default: true."),
        },
        interface="raid",
    ),
    Step(
        "write_image",
        "image.write_image",
        {Phase.DEPLOY: 0},
        args={
            "image_info": Arg("What to write and how to verify it.", is_required=True),
            "configdrive": Arg("Config drive: base64 of a gzip file, or the URL of such."),
        },
    ),
)
