"""Operations and their journal: visible to whoever sees the states of the node they work on."""

from bessemer.policy.rule import check
from bessemer.policy.rule.definition import rule

RULES = (
    rule(
        "baremetal:operation:list",
        check.SYSTEM_OR_PROJECT_READER,
        "List the operations of a node.",
        "GET /v2/nodes/{node_ident}/operations",
    ),
    rule(
        "baremetal:operation:get",
        check.SYSTEM_OR_PROJECT_READER,
        "See an operation and its journal.",
        "GET /v2/operations/{operation_uuid}",
    ),
)
