"""Allocations: nodes that a project asked for."""

from bessemer.policy.rule import check
from bessemer.policy.rule.definition import PROJECT, rule

RULES = (
    rule(
        "baremetal:allocation:get",
        check.ALLOCATION_READER,
        "See an allocation; who fails it is told that there is none.",
        "GET /v1/allocations/{allocation_id}",
        "GET /v1/nodes/{node_ident}/allocation",
        was=check.OLD_READER,
    ),
    rule(
        "baremetal:allocation:list",
        check.API_READER,
        "List the allocations of the caller's project.",
        "GET /v1/allocations",
        was="rule:baremetal:allocation:get",
    ),
    rule(
        "baremetal:allocation:list_all",
        check.SYSTEM_READER,
        "List all allocations.",
        "GET /v1/allocations",
        was="rule:baremetal:allocation:get and is_admin_project:True",
    ),
    rule(
        "baremetal:allocation:create",
        check.ALLOCATION_CREATOR,
        "Ask for an allocation in the name of the caller's project.",
        "POST /v1/allocations",
        was="rule:is_admin and is_admin_project:True",
    ),
    rule(
        "baremetal:allocation:create_restricted",
        check.SYSTEM_MEMBER,
        "Ask for an allocation in the name of any project, among the nodes of any project.",
        "POST /v1/allocations",
        was="rule:baremetal:allocation:create",
    ),
    rule(
        "baremetal:allocation:delete",
        check.ALLOCATION_MEMBER,
        "Delete an allocation.",
        "DELETE /v1/allocations/{allocation_id}",
        "DELETE /v1/nodes/{node_ident}/allocation",
        was=check.OLD_ADMIN,
    ),
    rule(
        "baremetal:allocation:update",
        check.ALLOCATION_MEMBER,
        "Change the name and the extra data of an allocation.",
        "PATCH /v1/allocations/{allocation_id}",
        was=check.OLD_ADMIN,
    ),
    rule(
        "baremetal:allocation:create_pre_rbac",
        "(rule:is_member and role:baremetal_admin) or (is_admin_project:True and role:admin)",
        "Ask for an allocation in the name of another project while the old defaults are still in force.",
        "PATCH /v1/allocations/{allocation_id}",
        scopes=PROJECT,
    ),
)
