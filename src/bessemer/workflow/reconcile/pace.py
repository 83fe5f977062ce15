"""How often a machine is looked at: less often the longer nothing has changed, where that may be."""

from bessemer.domain.node import Node
from bessemer.kernel.clock import Timestamp, seconds_between

#: A machine unchanged for so many intervals is looked at at that interval.
_SHARE = 2


def rested_interval(plain_s: float, longest_s: float, node: Node, now: Timestamp) -> float:
    """Seconds until the next look at a machine that was found as expected.

    ``plain_s`` after a change of the node, then more and more, up to ``longest_s``: a change that comes
    unseen is late by half the time that there was none, at most. No state is kept for this.
    """
    unchanged_s = seconds_between(node.updated_at or node.created_at, now)
    return max(plain_s, min(longest_s, unchanged_s / _SHARE))
