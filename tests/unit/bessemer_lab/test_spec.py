"""The description of a machine."""

from pathlib import Path

import pytest

from bessemer_lab.error import InvalidSpec
from bessemer_lab.spec import DiskSpec, MachineSpec, NicSpec

UUID = "4f1c8c5e-7f0e-4a52-9d0a-6a1d9c1f0b11"


@pytest.mark.parametrize(
    "spec",
    [
        MachineSpec(name=""),
        MachineSpec(name="Node_0"),
        MachineSpec(name="../escape"),
        MachineSpec(name="node", memory_mib=1),
        MachineSpec(name="node", processors=0),
        MachineSpec(name="node", uuid="not-a-uuid"),
        MachineSpec(name="node", uuid=UUID.upper()),
        MachineSpec(name="node", disks=(DiskSpec(size_gib=0),)),
        MachineSpec(name="node", disks=(DiskSpec(serial="x" * 21),)),
        MachineSpec(name="node", disks=(DiskSpec(serial="a,readonly=on"),)),
        MachineSpec(name="node", disks=(DiskSpec(model="a,b"),)),
        MachineSpec(name="node", disks=(DiskSpec(wwn=1 << 64),)),
        MachineSpec(name="node", disks=(DiskSpec(rotation_rate=-1),)),
        MachineSpec(name="node", nics=(NicSpec(mac="52:54:00:AA:00:01"),)),
        MachineSpec(name="node", nics=(NicSpec(mac="53:54:00:aa:00:01"),)),
        MachineSpec(name="node", nics=(NicSpec(model="token-ring"),)),
        MachineSpec(name="node", nics=(NicSpec(boot_file="http://x/,hostfwd=tcp::1-:2"),)),
        MachineSpec(name="node", nics=(NicSpec(mac="52:54:00:aa:00:01"), NicSpec(mac="52:54:00:aa:00:01"))),
    ],
)
def test_a_machine_that_cannot_be_built_is_refused_by_name(spec: MachineSpec) -> None:
    with pytest.raises(InvalidSpec, match="machine '"):
        spec.validate()


def test_a_plain_machine_is_accepted() -> None:
    MachineSpec(name="node-0").validate()


def test_a_resolved_machine_is_valid_and_depends_on_its_uuid_only() -> None:
    spec = MachineSpec(name="node-0", disks=(DiskSpec(), DiskSpec()), nics=(NicSpec(), NicSpec()))
    first, again, other = spec.resolve(UUID), spec.resolve(UUID), spec.resolve(UUID.replace("4f", "5f"))
    first.validate()
    assert first == again
    assert first.nics != other.nics
    assert len({nic.mac for nic in first.nics}) == 2
    assert len({disk.serial for disk in first.disks}) == 2
    assert all(disk.wwn >> 60 == 5 for disk in first.disks)


def test_what_was_given_is_kept_when_a_machine_is_resolved() -> None:
    disk = DiskSpec(serial="MINE", wwn=0x5000C50012345678, backing=Path("image.raw"))
    nic = NicSpec(mac="52:54:00:aa:00:01")
    spec = MachineSpec(name="node-0", disks=(disk,), nics=(nic,)).resolve(UUID)
    assert spec.disks == (disk,)
    assert spec.nics == (nic,)
