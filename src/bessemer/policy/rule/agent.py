"""The calls of the ramdisk's agent."""

from bessemer.policy.rule.definition import rule

RULES = (
    rule(
        "baremetal:node:ipa_heartbeat",
        "",
        "Report that an agent lives. Open by default: what counts is the agent's token.",
        "POST /v1/heartbeat/{node_ident}",
        was="rule:public_api",
        scopes=(),
    ),
    rule(
        "baremetal:driver:ipa_lookup",
        "",
        "Ask which node an agent runs on. Open by default: only nodes that expect an agent are told of.",
        "GET /v1/lookup",
        was="rule:public_api",
        scopes=(),
    ),
    rule(
        "baremetal:driver:ipa_continue_inspection",
        "",
        "Deliver what an inspection found. Open by default: only nodes that are inspected take it.",
        "POST /v1/continue_inspection",
        scopes=(),
    ),
)
