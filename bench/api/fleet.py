"""The nodes every server is given, as a rack has them."""

from typing import Any

#: Nodes that are deployed and switched; found by their class.
AT_WORK = 20
WORK_CLASS = "at-work"
_CLASSES = 10


def name(number: int) -> str:
    return f"bench-{number}"


def node(number: int) -> dict[str, Any]:
    """The body that enrols node ``number``."""
    return {
        "name": name(number),
        "driver": "fake-hardware",
        "resource_class": WORK_CLASS if number < AT_WORK else f"class-{number % _CLASSES}",
        "driver_info": {
            "redfish_address": f"https://192.0.2.{number % 250}",
            "redfish_system_id": "/redfish/v1/Systems/1",
            "redfish_username": "admin",
            "redfish_password": "not-shown",
        },
        "instance_info": {"image_source": "https://images.example/os.raw", "image_checksum": "0" * 64},
        "properties": {"cpus": 64, "memory_mb": 524288, "local_gb": 3840, "cpu_arch": "x86_64"},
        "extra": {"rack": f"r{number % 40}", "unit": number % 42},
    }
