"""``direct`` deployment: the agent downloads the image itself and writes it to the machine's disk.

What happens, step by step, is the deploy workflow's; here are only its settings.
"""

from collections.abc import Mapping

from bessemer.hardware.interface import BareInterface, Task
from bessemer.kernel.error import InvalidValue
from bessemer.transfer.tls import read_verify

_SOURCES = ("http", "local", "swift")
_BOOT_DEVICE_RULES = ("default", "always", "never", "true", "false")


class DirectDeploy(BareInterface):
    """Source: v1 contract, driver_info of agent deployments, and deploy steps of ``direct``."""

    name = "direct"
    needs_agent = True
    core_steps: Mapping[str, int] = {
        "deploy": 100,
        "write_image": 80,
        "prepare_instance_boot": 60,
        "tear_down_agent": 40,
        "switch_to_tenant_network": 30,
        "boot_instance": 20,
    }

    def properties(self) -> Mapping[str, str]:
        return {
            "agent_verify_ca": "Check of agents that send no certificate: true (default), false or a CA.",
            "deploy_forces_oob_reboot": "Reboot through the BMC after deployment. Optional.",
            "force_persistent_boot_device": "Default, Always or Never: whether boot devices stay set.",
            "image_download_source": "How images reach the agent: http, local or swift. Optional.",
            "image_http_proxy": "Proxy for image servers reached by http. Optional.",
            "image_https_proxy": "Proxy for image servers reached by https. Optional.",
            "image_no_proxy": "Hosts to reach without the proxy, with commas between. Optional.",
        }

    def validate(self, task: Task) -> None:
        """The agent's settings in ``driver_info``. Which image to write is checked where images are known."""
        info = task.node.driver_info
        read_verify(info.get("agent_verify_ca", True), "driver_info agent_verify_ca")
        _check_choice("image_download_source", info.get("image_download_source", "http"), _SOURCES)
        rule = info.get("force_persistent_boot_device", "Default")
        _check_choice("force_persistent_boot_device", str(rule).lower(), _BOOT_DEVICE_RULES)
        for key in ("image_http_proxy", "image_https_proxy"):
            proxy = info.get(key)
            if proxy is not None and not str(proxy).startswith(("http://", "https://")):
                raise InvalidValue(f"driver_info {key} must be an http or https URL.")


def _check_choice(key: str, given: object, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise InvalidValue(f"driver_info {key} cannot be '{given}'.", hint=f"One of: {', '.join(choices)}.")
