"""What rules are told of the things they are asked about: whose they are. What is nobody's is left out."""

from bessemer.domain.allocation import Allocation
from bessemer.domain.node import Node
from bessemer.domain.runbook import Runbook
from bessemer.policy.compilation import Target


def of_node(node: Node) -> Target:
    return of_project(node.owner, node.lessee)


def of_project(owner: str | None, lessee: str | None = None) -> Target:
    """A node with this owner and lessee."""
    target = {}
    if owner is not None:
        target["node.owner"] = owner
    if lessee is not None:
        target["node.lessee"] = lessee
    return target


def of_allocation(allocation: Allocation) -> Target:
    return {} if allocation.owner is None else {"allocation.owner": allocation.owner}


def of_runbook(runbook: Runbook) -> Target:
    return {} if runbook.owner is None else {"runbook.owner": runbook.owner}
