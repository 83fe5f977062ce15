"""Processors: one socket with as many cores as the machine has processors.

Source: DMTF Processor.v1_11_0.
"""

from bessemer_lab.bmc.path import SystemPath
from bessemer_lab.bmc.resource import Json, Resource, collection
from bessemer_lab.mainboard import Mainboard


def build(board: Mainboard) -> list[Resource]:
    path = SystemPath(board.uuid)
    name = path.below("Processors", "cpu0")

    def read() -> Json:
        return {
            "@odata.id": name,
            "@odata.type": "#Processor.v1_11_0.Processor",
            "Id": "cpu0",
            "Name": "Processor",
            "Socket": "CPU 0",
            "ProcessorType": "CPU",
            "ProcessorArchitecture": "x86",
            "InstructionSet": "x86-64",
            "Manufacturer": "QEMU",
            "Model": "QEMU Virtual CPU",
            "TotalCores": board.spec.processors,
            "TotalThreads": board.spec.processors,
            "Status": {"State": "Enabled", "Health": "OK"},
        }

    return [
        collection(path.below("Processors"), "ProcessorCollection", "Processors", [name]),
        Resource(path=name, get=read),
    ]
