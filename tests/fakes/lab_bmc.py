"""The lab's Redfish BMC over HTTPS, in front of a virtual machine that only keeps books."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bessemer.kernel.ident import new_uuid
from bessemer_lab.bmc import Bmc
from bessemer_lab.bmc.certificate import ensure_certificate
from bessemer_lab.mainboard import Mainboard
from bessemer_lab.port import PortReservation
from bessemer_lab.record import MachineRecord
from bessemer_lab.simulated import SimulatedVm
from bessemer_lab.spec import MachineSpec

USERNAME = "admin"
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class RunningBmc:
    address: str
    certificate: Path
    bmc: Bmc
    board: Mainboard
    vm: SimulatedVm

    def driver_info(self, **changes: Any) -> dict[str, Any]:
        return {
            "redfish_address": self.address,
            "redfish_username": USERNAME,
            "redfish_password": PASSWORD,
            "redfish_verify_ca": str(self.certificate),
            **changes,
        }


@asynccontextmanager
async def lab_bmc(directory: Path, spec: MachineSpec | None = None) -> AsyncIterator[RunningBmc]:
    """A BMC on a free port of 127.0.0.1 until the end of the block."""
    record = MachineRecord(uuid=new_uuid())
    resolved = (spec or MachineSpec(name="machine")).resolve(record.uuid)
    vm = SimulatedVm()
    home = directory / record.uuid
    home.mkdir()
    board = Mainboard(resolved, record, home, vm)
    certificate, key = ensure_certificate(directory)
    board.open()
    reserved = PortReservation()
    bmc = Bmc(board, username=USERNAME, password=PASSWORD, port=reserved.port)
    await bmc.open(certificate, key)
    try:
        yield RunningBmc(f"https://127.0.0.1:{reserved.port}", certificate, bmc, board, vm)
    finally:
        await bmc.close()
        await board.close()
        reserved.close()
