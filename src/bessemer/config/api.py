"""Settings of the API: how it is reached, by whom, and who may do what."""

from dataclasses import dataclass

from bessemer.config.option import option
from bessemer.kernel.secret import Secret


@dataclass(frozen=True, slots=True)
class ApiSettings:
    host_ip: str = option("127.0.0.1", "Address to listen on. Anything but loopback must be asked for.")
    port: int = option(6385, "TCP port to listen on.")
    enable_ssl_api: bool = option(False, "Serve HTTPS instead of HTTP. Needs cert_file and key_file.")
    cert_file: str | None = option(
        None, "Certificate (PEM, with its chain) of the API; read again when changed."
    )
    key_file: str | None = option(None, "Private key (PEM, without a passphrase) of the API's certificate.")
    api_workers: int | None = option(
        None, "Processes of 'bessemer api'. Unset: one for each processor, four at most."
    )
    public_endpoint: str | None = option(None, "Base URL placed in links. Unset: as the client addressed us.")
    max_limit: int = option(1000, "Largest page of a list.", least=1)
    ramdisk_heartbeat_timeout: int = option(
        300, "Longest gap between agent heartbeats, told to the agent.", least=1
    )
    restrict_lookup: bool = option(True, "Answer lookup only for nodes that expect an agent.")
    enable_ramdisk_endpoints: bool = option(True, "Serve lookup, heartbeat and the inspection callback.")
    max_json_body_size: int = option(1024, "Largest request body, in KiB.", least=1)
    max_json_body_depth: int = option(25, "Deepest nesting of a request body.", least=1)
    project_admin_can_manage_own_nodes: bool = option(
        True, "Let project admins and services enrol nodes of their project, and its admins delete them."
    )
    disallow_clean_steps: list[str] = option(
        ["vendor.send_raw"], "Steps that requests to clean may not name."
    )
    disallow_deploy_steps: list[str] = option(["vendor.send_raw"], "Steps refused in deployments.")
    disallow_service_steps: list[str] = option(["vendor.send_raw"], "Steps refused in servicing.")
    max_json_body_size_provision: int = option(65536, "Largest body of a provision request, in KiB.", least=1)


@dataclass(frozen=True, slots=True)
class KeystoneAuthtokenSettings:
    """The service's own account at Keystone, and how callers' tokens are validated."""

    auth_url: str | None = option(None, "Address of Keystone, with or without /v3. Needed for keystone.")
    auth_type: str = option("password", "Kind of our account: password or v3applicationcredential.")
    username: str | None = option(None, "Name of our user.")
    user_id: str | None = option(None, "Id of our user, instead of name and domain.")
    password: Secret | None = option(None, "Password of our user.")
    user_domain_name: str | None = option(None, "Name of our user's domain.")
    user_domain_id: str | None = option(None, "Id of our user's domain. Neither name nor id: 'default'.")
    project_name: str | None = option(None, "Name of the project our token is for.")
    project_id: str | None = option(None, "Id of that project, instead of name and domain.")
    project_domain_name: str | None = option(None, "Name of the project's domain.")
    project_domain_id: str | None = option(None, "Id of the project's domain. Neither: 'default'.")
    system_scope: str | None = option(None, "'all': our token is for the whole system, not a project.")
    application_credential_id: str | None = option(None, "Id of our application credential.")
    application_credential_name: str | None = option(None, "Its name, with username, instead of its id.")
    application_credential_secret: Secret | None = option(None, "Secret of our application credential.")
    cafile: str | None = option(None, "CA file to verify Keystone with. Unset: the system's.")
    certfile: str | None = option(None, "Our certificate for Keystone, if it asks for one.")
    keyfile: str | None = option(None, "The key of that certificate.")
    insecure: bool = option(False, "Do not verify Keystone's certificate.")
    http_connect_timeout: int = option(10, "Longest wait for one answer of Keystone.", least=1)
    www_authenticate_uri: str | None = option(
        None, "Address of Keystone as told to clients without a valid token. Unset: auth_url."
    )
    service_type: str = option("baremetal", "Our type in access rules of application credentials.")
    token_cache_time: int = option(
        300, "How long a validated token is believed without asking again.", least=-1
    )
    service_token_roles: list[str] = option(["service"], "Roles that make a token a service's token.")
    service_token_roles_required: bool = option(True, "Refuse service tokens without one of these roles.")


@dataclass(frozen=True, slots=True)
class PolicySettings:
    policy_file: str = option(
        "policy.yaml", "Rules that differ from the defaults. Relative: to the directory of the settings file."
    )
    policy_dirs: list[str] = option(["policy.d"], "Directories with more such files; each may be missing.")
    enforce_new_defaults: bool = option(True, "Do not let the rules of before scopes grant anything.")


@dataclass(frozen=True, slots=True)
class MiddlewareSettings:
    enable_proxy_headers_parsing: bool = option(
        False, "Believe X-Forwarded-For, -Proto, -Host and -Prefix: only behind a proxy that sets them."
    )


@dataclass(frozen=True, slots=True)
class HealthcheckSettings:
    enabled: bool = option(True, "Serve /healthcheck.")


@dataclass(frozen=True, slots=True)
class CorsSettings:
    """Which web pages' scripts may call the API (cross-origin resource sharing)."""

    allowed_origin: list[str] = option([], "Origins of pages (https://console.example). Empty: none. *: any.")
    allow_credentials: bool = option(True, "Let browsers send credentials along.")
    expose_headers: list[str] = option(
        [
            "X-OpenStack-Ironic-API-Version",
            "X-OpenStack-Ironic-API-Minimum-Version",
            "X-OpenStack-Ironic-API-Maximum-Version",
            "OpenStack-Request-Id",
            "Location",
        ],
        "Headers of answers that scripts may read.",
    )
    max_age: int = option(
        3600, "For how long browsers may remember a permission, in seconds; 0 or -1: not at all.", least=-1
    )
    allow_methods: list[str] = option(["GET", "PUT", "POST", "DELETE", "PATCH"], "Methods allowed.")
    allow_headers: list[str] = option(
        [
            "Content-Type",
            "Authorization",
            "X-Auth-Token",
            "X-OpenStack-Ironic-API-Version",
            "OpenStack-API-Version",
        ],
        "Headers of requests allowed.",
    )
