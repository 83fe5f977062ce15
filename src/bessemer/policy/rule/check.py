"""The checks that rules share, in oslo.policy's language.

Roles imply each other at Keystone (admin, manager, member, reader): a check names the least that is needed.
The role ``service`` implies none and is named where services may act. Source: v1 contract, access rules.
"""

OLD_ADMIN = "rule:is_admin"
OLD_READER = "rule:is_admin or rule:is_observer"

SYSTEM_ADMIN = "role:admin and system_scope:all"
SYSTEM_MEMBER = "(role:member and system_scope:all) or rule:service_role"
SYSTEM_READER = (
    "(role:reader and system_scope:all) or (role:service and system_scope:all) or rule:service_role"
)
API_READER = "(role:reader) or (role:service)"

_SYSTEM_SERVICE = "(role:service and system_scope:all)"
_OWNER = "project_id:%(node.owner)s"
_LESSEE = "project_id:%(node.lessee)s"
_OWNER_OR_LESSEE = f"({_OWNER} or {_LESSEE})"
_OWNER_ADMINS = f"(role:admin and {_OWNER}) or (role:manager and {_OWNER})"
_LESSEE_ADMINS = f"(role:admin and {_LESSEE}) or (role:manager and {_LESSEE})"
_OWNER_SERVICE = f"(role:service and {_OWNER})"

PROJECT_ADMIN = f"role:admin and {_OWNER}"

SYSTEM_OR_PROJECT_READER = f"({SYSTEM_READER}) or (role:reader and {_OWNER_OR_LESSEE}) or {_OWNER_SERVICE}"
SYSTEM_OR_PROJECT_MEMBER = f"({SYSTEM_MEMBER}) or (role:member and {_OWNER_OR_LESSEE}) or {_SYSTEM_SERVICE}"
SYSTEM_OR_OWNER_READER = (
    f"({SYSTEM_READER}) or {_SYSTEM_SERVICE} or (role:reader and {_OWNER}) or {_OWNER_SERVICE}"
)
SYSTEM_MEMBER_OR_OWNER_MEMBER = (
    f"({SYSTEM_MEMBER}) or {_SYSTEM_SERVICE} or (role:member and {_OWNER}) or {_OWNER_SERVICE}"
)
SYSTEM_MEMBER_OR_OWNER_ADMIN = (
    f"({SYSTEM_MEMBER}) or {_SYSTEM_SERVICE} or {_OWNER_ADMINS} or {_OWNER_SERVICE}"
)
SYSTEM_ADMIN_OR_OWNER_ADMIN = f"({SYSTEM_ADMIN}) or {_SYSTEM_SERVICE} or {_OWNER_ADMINS} or {_OWNER_SERVICE}"
SYSTEM_MEMBER_OR_OWNER_LESSEE_ADMIN = (
    f"({SYSTEM_MEMBER}) or {_SYSTEM_SERVICE} or {_OWNER_ADMINS} or {_LESSEE_ADMINS} or {_OWNER_SERVICE}"
)
SYSTEM_OR_OWNER_MEMBER_AND_LESSEE_ADMIN = (
    f"({SYSTEM_MEMBER}) or {_SYSTEM_SERVICE} or (role:member and {_OWNER}) or {_LESSEE_ADMINS}"
    f" or {_OWNER_SERVICE}"
)

TARGET_PROPERTIES_READER = f"({SYSTEM_READER}) or (role:admin)"

_ALLOCATION_OWNER = "project_id:%(allocation.owner)s"
ALLOCATION_READER = f"({SYSTEM_READER}) or (role:reader and {_ALLOCATION_OWNER})"
ALLOCATION_MEMBER = f"({SYSTEM_MEMBER}) or (role:member and {_ALLOCATION_OWNER})"
ALLOCATION_CREATOR = f"({SYSTEM_MEMBER}) or (role:member)"

_RUNBOOK_OWNER = "project_id:%(runbook.owner)s"
RUNBOOK_READER = f"({SYSTEM_READER}) or (role:reader and {_RUNBOOK_OWNER}) or role:service"
RUNBOOK_ADMIN = f"({SYSTEM_MEMBER}) or (role:manager and {_RUNBOOK_OWNER}) or role:service"
RUNBOOK_CREATOR = f"({SYSTEM_MEMBER}) or role:manager or role:service"
