"""Runbooks: steps kept for later, owned by a project or public."""

from bessemer.policy.rule import check
from bessemer.policy.rule.definition import rule

RULES = (
    rule(
        "baremetal:runbook:get",
        check.RUNBOOK_READER,
        "See a runbook. A public one is seen by everybody all the same.",
        "GET /v1/runbooks/{runbook_ident}",
    ),
    rule(
        "baremetal:runbook:list",
        check.API_READER,
        "List the runbooks of the caller's project, and public ones.",
        "GET /v1/runbooks",
    ),
    rule(
        "baremetal:runbook:list_all",
        check.SYSTEM_READER,
        "List all runbooks.",
        "GET /v1/runbooks",
    ),
    rule(
        "baremetal:runbook:create",
        check.RUNBOOK_CREATOR,
        "Create a runbook; a project's is its own.",
        "POST /v1/runbooks",
    ),
    rule(
        "baremetal:runbook:delete",
        check.RUNBOOK_ADMIN,
        "Delete a runbook.",
        "DELETE /v1/runbooks/{runbook_ident}",
    ),
    rule(
        "baremetal:runbook:update",
        check.RUNBOOK_ADMIN,
        "Change a runbook and its traits.",
        "PATCH /v1/runbooks/{runbook_ident}",
    ),
    rule(
        "baremetal:runbook:update:public",
        check.SYSTEM_MEMBER,
        "Make a runbook public, or end that.",
        "PATCH /v1/runbooks/{runbook_ident}/public",
    ),
    rule(
        "baremetal:runbook:update:owner",
        check.SYSTEM_MEMBER,
        "Give a runbook another owner.",
        "PATCH /v1/runbooks/{runbook_ident}/owner",
    ),
    rule(
        "baremetal:runbook:use",
        check.RUNBOOK_ADMIN,
        "Clean or service a node by a runbook. A public one may be used by everybody all the same.",
        "PUT /v1/nodes/{node_ident}/states/provision",
    ),
)
