"""What the steps work with: given once by the composition root, reached as ``context.deps``."""

from dataclasses import dataclass

from bessemer.boot.artefact import BootArtefacts
from bessemer.config.settings import Settings
from bessemer.engine.workflow import Context, Step
from bessemer.hardware.agent.client import AgentClient
from bessemer.hardware.composition import Composition
from bessemer.store.database import Database
from bessemer.transfer.web import Web


@dataclass(frozen=True, slots=True)
class Collaborators:
    database: Database
    composition: Composition
    agents: AgentClient
    artefacts: BootArtefacts
    web: Web
    settings: Settings
    #: Our API as machines reach it when no setting names another address.
    base_url: str


NodeContext = Context[Collaborators]
NodeStep = Step[Collaborators]
