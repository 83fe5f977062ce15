"""Rules that other rules are made of. None of them guards a call by itself."""

from bessemer.policy.rule.definition import rule

RULES = (
    rule(
        "admin_api",
        "role:admin or role:administrator",
        "An administrator of any scope, as the old rules knew one.",
        is_leaving=True,
        scopes=(),
    ),
    rule(
        "public_api",
        "is_public_api:True",
        "A call that needs no authentication.",
        scopes=(),
    ),
    rule(
        "show_password",
        "!",
        "See passwords and other secrets of nodes in clear text. Asked also where nobody is authenticated.",
        scopes=(),
    ),
    rule(
        "show_instance_secrets",
        "!",
        "See the secrets of instances in clear text. Asked also where nobody is authenticated.",
        scopes=(),
    ),
    rule(
        "service_role",
        "role:service and project_name:%(config.service_project_name)s",
        "Another service of the cloud that acts for the whole system: see "
        "[DEFAULT]rbac_service_role_elevated_access.",
        scopes=(),
    ),
    rule(
        "is_member",
        "(project_domain_id:default or project_domain_id:None)"
        " and (project_name:demo or project_name:baremetal)",
        "A member of one of two projects, as the old rules knew one.",
        is_leaving=True,
        scopes=(),
    ),
    rule(
        "is_observer",
        "rule:is_member and (role:observer or role:baremetal_observer)",
        "A user who may only look, as the old rules knew one.",
        is_leaving=True,
        scopes=(),
    ),
    rule(
        "is_admin",
        "rule:admin_api or (rule:is_member and role:baremetal_admin)",
        "An administrator, as the old rules knew one.",
        is_leaving=True,
        scopes=(),
    ),
    rule(
        "is_node_owner",
        "project_id:%(node.owner)s",
        "The caller's project owns the node.",
        is_leaving=True,
        scopes=(),
    ),
    rule(
        "is_node_lessee",
        "project_id:%(node.lessee)s",
        "The caller's project leases the node.",
        is_leaving=True,
        scopes=(),
    ),
    rule(
        "is_allocation_owner",
        "project_id:%(allocation.owner)s",
        "The caller's project owns the allocation.",
        is_leaving=True,
        scopes=(),
    ),
)
