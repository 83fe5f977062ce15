"""Every workflow there is."""

from functools import partial

from bessemer.config.settings import Settings
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Workflow
from bessemer.workflow.adopt import adopt
from bessemer.workflow.child_step import child_step
from bessemer.workflow.clean import clean
from bessemer.workflow.collaborators import Collaborators
from bessemer.workflow.console import console
from bessemer.workflow.deploy import deploy
from bessemer.workflow.firmware_mode import boot_mode, secure_boot
from bessemer.workflow.inspect import inspect
from bessemer.workflow.inspect_setting import built_in_rules, port_policy
from bessemer.workflow.machine_call import command, query
from bessemer.workflow.power_change import power
from bessemer.workflow.projection import Projection
from bessemer.workflow.rescue import rescue, unrescue
from bessemer.workflow.service import service, service_abort
from bessemer.workflow.tear_down import cleaned_next, tear_down
from bessemer.workflow.vendor_passthru import vendor_passthru
from bessemer.workflow.verify import verify


def workflows(settings: Settings, host: str, gateway: Gateway) -> tuple[Workflow[Collaborators], ...]:
    """The catalogue, showing its work on nodes under the name ``host``.

    Raises:
        BadSettings: A setting of inspection that cannot be, or a file of rules that cannot be read.
    """
    projection = partial(Projection, host=host, message_limit=settings.default.log_in_db_max_size)
    return (
        verify(projection),
        inspect(projection, port_policy(settings), built_in_rules(settings)),
        adopt(projection),
        clean(projection, gateway),
        deploy(projection, gateway),
        tear_down(projection, cleaned_next(settings, gateway)),
        rescue(projection),
        unrescue(projection),
        service(projection, gateway),
        service_abort(projection),
        power(projection, gateway),
        child_step(projection, gateway),
        boot_mode(projection),
        secure_boot(projection),
        console(projection),
        vendor_passthru(projection),
        query(),
        command(),
    )
