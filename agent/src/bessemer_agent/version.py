"""What this agent calls itself, and how much of the service's API it knows."""

#: A PEP 440 version with a local label. Services choose commands and parameters by comparing this number with
#: versions of ironic-python-agent, so the public part names the release whose protocol is spoken here; a
#: local label sorts just after that release (``11.4.0 < 11.4.0+bessemer.0.1.0 < 11.4.1``), and tells
#: operators whose agent it is.
AGENT_VERSION = "11.4.0+bessemer.0.1.0"

#: The service's API version assumed when it does not say: the first with everything lookup needs.
FALLBACK_API_VERSION = (1, 31)

#: Highest API versions whose lookup and heartbeat this agent speaks.
LOOKUP_API_VERSION = (1, 62)
HEARTBEAT_API_VERSION = (1, 68)
#: That of the inspection callback, and the one in which services older than it take it too.
INSPECTION_API_VERSION = (1, 84)
OLD_INSPECTION_API_VERSION = (1, 1)

#: Since these versions heartbeats carry the agent's version, its token, and its certificate.
AGENT_VERSION_SINCE = (1, 36)
AGENT_TOKEN_SINCE = (1, 62)
AGENT_CERTIFICATE_SINCE = (1, 68)
