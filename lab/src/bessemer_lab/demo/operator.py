"""What an operator does, with openstacksdk as it comes from PyPI and nothing of the service's insides."""

import time
from collections.abc import Callable
from typing import Any

import openstack

from bessemer_lab.demo.scene import Scene

Watch = Callable[["Sight"], None]

CLEAN_TIMEOUT_S = 600.0
POLL_S = 0.4


class Sight:
    """One look at the node and at the operation that is working on it."""

    def __init__(self, node: Any, operation: dict[str, Any] | None) -> None:
        self.node = node
        self.operation = operation

    @property
    def state(self) -> str:
        return str(self.node.provision_state)

    @property
    def step(self) -> str:
        """The step at work, and how many there are."""
        if not self.operation or self.operation["finished_at"]:
            return ""
        plan, position = self.operation["plan"], self.operation["position"]
        item = plan[min(position, len(plan) - 1)]
        return f"{position + 1}/{len(plan)} {item['title'] or item['step']}"

    @property
    def percent(self) -> float | None:
        return None if self.operation is None else self.operation["progress"]


class Failed(Exception):
    """The node ended in a failed state; the message is its last_error."""


class Operator:
    """Drives one node through its life. Blocking: run it in a thread."""

    def __init__(self, scene: Scene, watch: Watch) -> None:
        self._scene = scene
        self._watch = watch
        self._cloud = openstack.connect(
            auth_type="none", baremetal_endpoint_override=scene.endpoint, baremetal_api_version="1.110"
        )
        self._baremetal = self._cloud.baremetal
        self.node_id = ""

    def enrol(self, name: str, **driver_info: Any) -> None:
        """Tell the service of the machine: where its BMC is and how to talk to it.

        ``driver_info`` replaces or adds single keys.
        """
        machine = self._scene.machine
        node = self._baremetal.create_node(
            name=name,
            driver="redfish",
            boot_interface="redfish-virtual-media",
            deploy_interface="direct",
            inspect_interface="redfish",
            driver_info={
                "redfish_address": machine.bmc_url,
                "redfish_system_id": machine.system_path,
                "redfish_username": machine.username,
                "redfish_password": machine.password,
                "redfish_verify_ca": str(machine.certificate_path),
                "kernel_append_params": f"%default% ipa-advertise-host=127.0.0.1 "
                f"ipa-advertise-port={machine.agent_port}",
            }
            | driver_info,
        )
        self.node_id = node.id

    def move(self, verb: str, target: str, *, timeout_s: float = CLEAN_TIMEOUT_S, **options: Any) -> None:
        """Ask for a provision verb and watch until the node is where it leads.

        Raises:
            Failed: The work failed.
            TimeoutError: It took too long.
        """
        self.ask(verb, **options)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            sight = self.look()
            self._watch(sight)
            if sight.state == target:
                return
            if _has_failed(sight.state):
                raise Failed(f"{sight.state}: {sight.node.last_error}")
            time.sleep(POLL_S)
        raise TimeoutError(f"the node is still '{sight.state}' after {timeout_s:.0f} s")

    def ask(self, verb: str, **options: Any) -> None:
        """Ask for a provision verb and do not wait."""
        self._baremetal.set_node_provision_state(self.node_id, verb, **options)

    def settled(self) -> Sight | None:
        """A look at the node once nothing is under way; None before."""
        sight = self.look()
        return sight if sight.node.target_provision_state is None or _has_failed(sight.state) else None

    def set_driver_info(self, **changes: Any) -> None:
        self._baremetal.patch_node(
            self.node_id,
            [{"op": "add", "path": f"/driver_info/{key}", "value": value} for key, value in changes.items()],
        )

    def describe_instance(self, hostname: str, **instance_info: Any) -> dict[str, Any]:
        """Say what to deploy (``instance_info`` replaces keys); gives the config drive for ``active``."""
        self._baremetal.update_node(
            self.node_id,
            instance_info={
                "image_source": self._scene.image_url,
                "image_os_hash_algo": "sha256",
                "image_os_hash_value": self._scene.image_sha256,
                "image_disk_format": "raw",
            }
            | instance_info,
        )
        return {"meta_data": {"hostname": hostname, "name": hostname}}

    def look(self) -> Sight:
        operations = self.operations()
        return Sight(self._baremetal.get_node(self.node_id), operations[0] if operations else None)

    def operations(self) -> list[dict[str, Any]]:
        """Operations of the node, newest first."""
        document = self._get(f"/v2/nodes/{self.node_id}/operations")
        return list(document["operations"])

    def journal(self, operation: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self._get(f"/v2/operations/{operation['uuid']}")["journal"])

    def node(self) -> Any:
        return self._baremetal.get_node(self.node_id)

    def ports(self) -> list[Any]:
        return list(self._baremetal.ports(node=self.node_id, details=True))

    def _get(self, path: str) -> Any:
        answer = self._cloud.session.get(self._scene.endpoint + path, authenticated=False, timeout=30)
        return answer.json()


def _has_failed(state: str) -> bool:
    return state.endswith("failed") or state in ("error", "enroll")
