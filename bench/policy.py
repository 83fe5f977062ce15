"""CPU of access rules: microseconds per evaluation beside oslo.policy's own, and per request.

A request is judged as services do it: the caller is told the rule, the node must be visible, the rule must
pass. Authentication has a figure of its own (``bench/authentication.py``, which adds both up).
"""

import logging
import time
from collections.abc import Callable

from bessemer.config.settings import Settings
from bessemer.policy.enforcer import make_enforcer
from bessemer.policy.policy import Policy
from bessemer.service.caller import Caller, credentials_of

#: What the issue allows one evaluation to cost.
MOST_US = 3.0
SEE = "baremetal:node:get"
OWNER, LESSEE = "a" * 32, "b" * 32
NODE = {"node.owner": OWNER, "node.lessee": LESSEE}
ROLES = frozenset({"member", "reader"})
CALLERS = {
    "owner": Caller(user="u", project=OWNER, roles=ROLES),
    "lessee": Caller(user="u", project=LESSEE, roles=ROLES),
    "stranger": Caller(user="u", project="c" * 32, roles=ROLES),
    "system": Caller(user="u", system_scope="all", roles=ROLES),
}
RULES = (
    SEE,
    "baremetal:node:set_power_state",
    "baremetal:node:set_provision_state",
    "baremetal:node:list_all",
)


def cpu_us(call: Callable[[], object], count: int) -> float:
    """The least of five rounds: the others were disturbed."""
    rounds = []
    for _ in range(5):
        began = time.process_time()
        for _ in range(count):
            call()
        rounds.append((time.process_time() - began) / count * 1e6)
    return min(rounds)


def judged(caller: Caller, policy: Policy, rule: str) -> bool:
    """All that policy costs one request on one node."""
    asking = caller.under(policy).asking(rule)
    return asking.may(SEE, NODE) and asking.may(rule, NODE)


def main() -> None:
    logging.disable()
    settings = Settings()
    policy, oslo = Policy.of(settings), make_enforcer(settings.oslo_policy)
    began = time.process_time()
    Policy.of(settings)
    print(f"loading and compiling every rule          {(time.process_time() - began) * 1e3:8.1f} ms")
    worst = 0.0
    for rule in RULES:
        for name, caller in CALLERS.items():
            creds = credentials_of(caller)
            verdict = policy.allows(rule, NODE, creds)
            assert verdict == oslo.enforce(rule, NODE, dict(creds))
            ours = cpu_us(lambda rule=rule, creds=creds: policy.allows(rule, NODE, creds), 20_000)
            theirs = cpu_us(lambda rule=rule, creds=creds: oslo.enforce(rule, NODE, dict(creds)), 200)
            worst = max(worst, ours)
            told = f"{rule.removeprefix('baremetal:')} {name}"
            print(f"{told:40} {ours:9.2f} us, oslo.policy {theirs:7.0f} us, {'yes' if verdict else 'no'}")
    request = max(cpu_us(lambda who=who: judged(who, policy, RULES[2]), 5_000) for who in CALLERS.values())
    print(f"one request on one node                   {request:8.1f} us")
    assert worst < MOST_US, f"an evaluation takes {worst:.2f} us, more than {MOST_US:g}"


if __name__ == "__main__":
    main()
