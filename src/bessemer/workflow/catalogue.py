"""Every workflow there is."""

from functools import partial

from bessemer.config.settings import Settings
from bessemer.engine.gateway import Gateway
from bessemer.engine.workflow import Workflow
from bessemer.workflow.clean import clean
from bessemer.workflow.collaborators import Collaborators
from bessemer.workflow.deploy import deploy
from bessemer.workflow.inspect import inspect
from bessemer.workflow.power import power
from bessemer.workflow.projection import Projection
from bessemer.workflow.tear_down import cleaned_next, tear_down
from bessemer.workflow.verify import verify


def workflows(settings: Settings, host: str, gateway: Gateway) -> tuple[Workflow[Collaborators], ...]:
    """The catalogue, showing its work on nodes under the name ``host``."""
    projection = partial(Projection, host=host, message_limit=settings.default.log_in_db_max_size)
    return (
        verify(projection),
        inspect(projection),
        clean(projection),
        deploy(projection),
        tear_down(projection, cleaned_next(settings, gateway)),
        power(projection),
    )
