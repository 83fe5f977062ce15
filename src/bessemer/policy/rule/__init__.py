"""Every rule there is, in one table that is spread over a file for each kind of thing.

Names, defaults and scopes are those operators know from Ironic; descriptions are ours. Rules of calls that
only this service has follow the same pattern (``operation``). Source: v1 contract, access rules.
"""

from oslo_policy.policy import RuleDefault

from bessemer.policy.rule import (
    agent,
    allocation,
    base,
    below_node,
    fleet,
    node,
    node_action,
    operation,
    runbook,
)

RULES: tuple[RuleDefault, ...] = (
    *base.RULES,
    *node.RULES,
    *node_action.RULES,
    *below_node.RULES,
    *allocation.RULES,
    *runbook.RULES,
    *fleet.RULES,
    *agent.RULES,
    *operation.RULES,
)


def list_rules() -> list[RuleDefault]:
    """Entry point of oslo.policy's generators (``oslo.policy.policies``)."""
    return list(RULES)
