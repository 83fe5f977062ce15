"""Why operations are cancelled. What becomes of the node depends on it, and ``last_error`` names it."""

from typing import Final

#: The user asked for an end of it.
ABORTED: Final = "aborted"
#: The instance is to go: the tear-down that follows puts the node in order.
DELETED: Final = "deleted"
#: The same work was asked for anew, and takes over the node.
REPLACED: Final = "replaced by a new request"
#: [conductor]allow_provisioning_in_maintenance is off.
MAINTENANCE: Final = "stopped because the node is in maintenance"
