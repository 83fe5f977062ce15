"""Calls that need no credentials: discovery, what an agent says before it has any, and capability URLs.

Source: v1 contract, policy: public_routes; ``/healthcheck``, ``/boot/`` and ``/redfish/events/`` are ours.
"""

import re

#: Everything below ``/boot/`` and ``/redfish/events/`` is opened by a key in its path, or gives nothing away.
_PUBLIC = re.compile(
    r"/(?:v1/?)?"
    r"|/healthcheck/?"
    r"|(?:/v1)?/(?:lookup|continue_inspection|heartbeat/[A-Za-z0-9._~-]+)/?"
    r"|/boot/.+"
    r"|/redfish/events/[A-Za-z0-9_-]+"
)


def is_public(path: str) -> bool:
    """Whether ``path`` may be asked for by anybody. ``/v1`` in front may be left out, as everywhere."""
    return _PUBLIC.fullmatch(path) is not None
