"""The service's own account at Keystone, as the request that logs it in.

Option names and meanings are those of keystoneauth's plugins ``password`` and ``v3applicationcredential``.
Source: Keystone API v3, password and application credential authentication.
"""

from typing import Any

from bessemer.config.load import BadSettings
from bessemer.config.settings import KeystoneAuthtokenSettings

_SECTION = "[keystone_authtoken]"


def login_request(settings: KeystoneAuthtokenSettings) -> dict[str, Any]:
    """The body of ``POST /v3/auth/tokens``. It holds the password: never log it.

    Raises:
        BadSettings: An option is missing, named with the others that would do.
    """
    kind = settings.auth_type
    if kind in ("password", "v3password"):
        identity = {"methods": ["password"], "password": {"user": _user(settings)}}
        return {"auth": {"identity": identity, "scope": _scope(settings)}}
    if kind == "v3applicationcredential":
        credential = _application_credential(settings)
        return {
            "auth": {
                "identity": {"methods": ["application_credential"], "application_credential": credential}
            }
        }
    raise BadSettings(
        f"{_SECTION}auth_type cannot be '{kind}'.", hint="One of: password, v3applicationcredential."
    )


def api_url(settings: KeystoneAuthtokenSettings) -> str:
    """The address of version 3 of Keystone's API, without a slash at its end. Raises BadSettings."""
    given = (settings.auth_url or "").rstrip("/")
    if not given.startswith(("http://", "https://")):
        raise BadSettings(f"{_SECTION}auth_url must be the http or https address of Keystone.")
    return given if given.endswith("/v3") else f"{given}/v3"


def _user(settings: KeystoneAuthtokenSettings) -> dict[str, Any]:
    if not settings.password:
        raise BadSettings(f"{_SECTION}password is missing.")
    secret = {"password": settings.password.reveal()}
    if settings.user_id:
        return {"id": settings.user_id, **secret}
    if not settings.username:
        raise BadSettings(f"{_SECTION}username (or user_id) is missing.")
    return {"name": settings.username, "domain": _user_domain(settings), **secret}


def _user_domain(settings: KeystoneAuthtokenSettings) -> dict[str, str]:
    return _domain(settings.user_domain_id, settings.user_domain_name)


def _scope(settings: KeystoneAuthtokenSettings) -> dict[str, Any]:
    if settings.system_scope:
        return {"system": {"all": True}}
    if settings.project_id:
        return {"project": {"id": settings.project_id}}
    if settings.project_name:
        domain = _domain(settings.project_domain_id, settings.project_domain_name)
        return {"project": {"name": settings.project_name, "domain": domain}}
    raise BadSettings(f"{_SECTION}project_name (or project_id, or system_scope) is missing.")


def _application_credential(settings: KeystoneAuthtokenSettings) -> dict[str, Any]:
    if not settings.application_credential_secret:
        raise BadSettings(f"{_SECTION}application_credential_secret is missing.")
    secret = {"secret": settings.application_credential_secret.reveal()}
    if settings.application_credential_id:
        return {"id": settings.application_credential_id, **secret}
    if not settings.application_credential_name or not (settings.username or settings.user_id):
        raise BadSettings(
            f"{_SECTION}application_credential_id (or application_credential_name and username) is missing."
        )
    user: dict[str, Any] = {"id": settings.user_id}
    if not settings.user_id:
        user = {"name": settings.username, "domain": _user_domain(settings)}
    return {"name": settings.application_credential_name, "user": user, **secret}


def _domain(ident: str | None, name: str | None) -> dict[str, str]:
    if ident or not name:
        return {"id": ident or "default"}
    return {"name": name}
