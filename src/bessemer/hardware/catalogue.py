"""Every interface implementation of this package, in one table. A new one is added here and nowhere else."""

from bessemer.config.settings import Settings
from bessemer.hardware.absent import NoBios, NoConsole, NoFirmware, NoInspect, NoRaid, NoRescue, NoVendor
from bessemer.hardware.agent.deploy import DirectDeploy
from bessemer.hardware.agent.inspect import AgentInspect
from bessemer.hardware.agent.raid import AgentRaid
from bessemer.hardware.agent.rescue import AgentRescue
from bessemer.hardware.driver import Implementations
from bessemer.hardware.fake.behaviour import Behaviour
from bessemer.hardware.fake.bios import FakeBios
from bessemer.hardware.fake.boot import FakeBoot
from bessemer.hardware.fake.console import FakeConsole
from bessemer.hardware.fake.deploy import FakeDeploy
from bessemer.hardware.fake.firmware import FakeFirmware
from bessemer.hardware.fake.inspect import FakeInspect
from bessemer.hardware.fake.management import FakeManagement
from bessemer.hardware.fake.network import FakeNetwork
from bessemer.hardware.fake.power import FakePower
from bessemer.hardware.fake.raid import FakeRaid
from bessemer.hardware.fake.rescue import FakeRescue
from bessemer.hardware.fake.storage import FakeStorage
from bessemer.hardware.fake.vendor import FakeVendor
from bessemer.hardware.noop import NoopManagement
from bessemer.hardware.redfish.boot import RedfishVirtualMediaBoot
from bessemer.hardware.redfish.inspect import RedfishInspect
from bessemer.hardware.redfish.management import RedfishManagement
from bessemer.hardware.redfish.pool import BmcPool
from bessemer.hardware.redfish.power import RedfishPower
from bessemer.kernel.clock import Clock


def implementations(settings: Settings, pool: BmcPool, clock: Clock) -> Implementations:
    """All of them; which are enabled is the composition's business.

    Network and storage interfaces of real systems live in packages of their own: join their tables to this
    one. Raises BadSettings for a [fake] section that cannot be read.
    """
    fake = Behaviour(settings.fake, clock)
    return Implementations(
        bios=(FakeBios(fake), NoBios()),
        boot=(FakeBoot(fake), RedfishVirtualMediaBoot(pool, settings.conductor)),
        console=(FakeConsole(fake), NoConsole()),
        deploy=(FakeDeploy(fake), DirectDeploy()),
        firmware=(FakeFirmware(fake), NoFirmware()),
        inspect=(FakeInspect(fake), RedfishInspect(pool), AgentInspect(), NoInspect()),
        management=(FakeManagement(fake), RedfishManagement(pool), NoopManagement()),
        network=(FakeNetwork(fake),),
        power=(FakePower(fake), RedfishPower(pool)),
        raid=(FakeRaid(fake, clock), NoRaid(), AgentRaid()),
        rescue=(FakeRescue(fake), AgentRescue(), NoRescue()),
        storage=(FakeStorage(fake),),
        vendor=(FakeVendor(fake), NoVendor()),
    )
