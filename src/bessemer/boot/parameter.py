"""The two small documents that tell one booted agent from another: GRUB's configuration with the kernel
parameters, and the agent's own configuration file with what must not be seen on a command line."""

import re
from collections.abc import Sequence

from bessemer.config.settings import Settings
from bessemer.domain.node import Node
from bessemer.domain.provision import ProvisionState
from bessemer.kernel.error import InvalidValue
from bessemer.transfer.url import check_web

#: Longest command line an x86 kernel takes, its terminator not counted. Source: arch/x86 COMMAND_LINE_SIZE.
_LONGEST_LINE = 2047
_REQUEST_ID = re.compile(r"req-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
#: A ramdisk that is booted in these states reports what the machine is made of.
_INSPECTING = frozenset({ProvisionState.INSPECTING, ProvisionState.INSPECT_WAIT})
#: The last console named is where the agent's own messages go: serial, which BMCs record.
_CONSOLES = ("console=tty0", "console=ttyS0,115200n8")


def kernel_parameters(node: Node, settings: Settings, api_url: str) -> list[str]:
    """The kernel parameters for the agent on ``node``, in order; no secret is among them.

    ``driver_info.kernel_append_params`` replaces ``[redfish]kernel_append_params``, which it may include by
    writing ``%default%``. Consoles are added unless a console is named there.

    Raises:
        InvalidValue: A parameter that could break out of its line, or too many of them.

    Source: the kernel parameters read by ironic-python-agent (``boot_method``, ``ipa-*``).
    """
    parameters = ["boot_method=vmedia", f"ipa-api-url={check_web(api_url, 'The API URL for agents')}"]
    if node.provision_state in _INSPECTING:
        parameters.append(f"ipa-inspection-callback-url={api_url.rstrip('/')}/v1/continue_inspection")
    request_id = node.driver_internal_info.get("boot_request_id")
    if isinstance(request_id, str) and _REQUEST_ID.fullmatch(request_id):
        parameters.append(f"ipa-global-request-id={request_id}")
    if settings.default.debug:
        parameters.append("ipa-debug=1")
    appended = _appended(node, settings)
    if not any(word.startswith("console=") for word in appended):
        parameters.extend(_CONSOLES)
    parameters.extend(appended)
    if len(" ".join(parameters)) > _LONGEST_LINE:
        raise InvalidValue(
            f"The kernel parameters are longer than the {_LONGEST_LINE} characters a kernel takes."
        )
    return parameters


def _appended(node: Node, settings: Settings) -> list[str]:
    default = settings.redfish.kernel_append_params
    text = node.driver_info.get("kernel_append_params")
    if text is None:
        text = "%default%"
    if not isinstance(text, str):
        raise InvalidValue("driver_info.kernel_append_params must be text.")
    text = text.replace("%default%", default)
    # Only spaces may separate: a line break that slipped in would begin a new GRUB command.
    if not text.isascii() or not text.isprintable() or any(letter in text for letter in "'\"\\"):
        raise InvalidValue(
            "The kernel parameters (kernel_append_params) may hold only printable ASCII characters, "
            "and no quotes or backslashes."
        )
    words = text.split()
    for word in words:
        if word.startswith("ipa-agent-token="):
            raise InvalidValue("An agent token does not belong on the kernel command line.")
    return words


def grub_config(parameters: Sequence[str]) -> str:
    """GRUB's configuration. Single quotes make every character of a parameter stand for itself."""
    line = " ".join(f"'{parameter}'" for parameter in parameters)
    return f"linux /boot/vmlinuz {line}\ninitrd /boot/ramdisk\nboot\n"


def agent_config(node: Node, api_url: str) -> str:
    """The agent's configuration, in the form of its own configuration file.

    The agent copies the files in ``etc/ironic-python-agent.d`` of the medium it was booted from
    (``boot_method=vmedia``, label ``VMEDIA_BOOT_ISO``) and reads them as INI files.

    Raises:
        InvalidValue: The API URL or the node's token cannot stand in such a file.

    Source: options of ironic-python-agent, group DEFAULT; ``node_uuid`` is read by our agent alone.
    """
    internal = node.driver_internal_info
    lines = [
        "[DEFAULT]",
        # oslo.config substitutes $name in values; $$ is a plain dollar sign.
        f"api_url = {check_web(api_url, 'The API URL for agents').replace('$', '$$')}",
        f"node_uuid = {node.uuid}",
        "agent_token_required = true",
    ]
    token = internal.get("agent_secret_token")
    if token:
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise InvalidValue("The agent token of the node is malformed.")
        lines.append(f"agent_token = {token}")
    return "\n".join(lines) + "\n"
