"""oslo.policy's own enforcer: it merges the files with the defaults, and serves its command line tools."""

import sys
from pathlib import Path

from oslo_config import cfg
from oslo_policy import opts
from oslo_policy.policy import Enforcer

from bessemer.config.load import load_settings
from bessemer.config.settings import PolicySettings
from bessemer.policy.rule import RULES


def make_enforcer(settings: PolicySettings) -> Enforcer:
    """One that knows every rule, and reads the files that ``settings`` name when it is asked to load them."""
    conf = cfg.ConfigOpts()
    conf(args=[], project="bessemer", default_config_files=[], default_config_dirs=[])
    opts.set_defaults(conf)
    directories = [str(Path(name).absolute()) for name in settings.policy_dirs]
    conf.set_override("policy_dirs", directories, group="oslo_policy")
    conf.set_override("enforce_new_defaults", settings.enforce_new_defaults, group="oslo_policy")
    enforcer = Enforcer(conf, policy_file=str(Path(settings.policy_file).absolute()))
    # Told by the service itself, once, in its log.
    enforcer.suppress_deprecation_warnings = True
    enforcer.suppress_default_change_warnings = True
    enforcer.register_defaults(RULES)
    return enforcer


def get_enforcer() -> Enforcer:
    """Entry point of oslo.policy's tools (``oslo.policy.enforcer``): with the operator's own files.

    The settings file is the one that the tool was given with ``--config-file``.
    """
    settings, _ = load_settings(_config_file(sys.argv[1:]))
    return make_enforcer(settings.oslo_policy)


def _config_file(arguments: list[str]) -> Path | None:
    for index, argument in enumerate(arguments):
        name, _, value = argument.partition("=")
        if name == "--config-file":
            return Path(value or arguments[index + 1])
    return None
