"""The lab's error tree.

LabError
├── InvalidSpec           a machine was described in a way that cannot be built
├── MissingPackage        a system program or firmware file is not installed
├── LabBusy               another lab process uses the same directory
├── ResetRefused          the machine's power state does not allow the request
├── MediaRefused          virtual media is occupied, or its image could not be had
├── VmError               QEMU did not start or refused a command
│   └── PowerLost         the machine has no power, or lost it meanwhile
├── ImageBuildFailed      the operating system image could not be built
└── ConsoleTimeout        a text did not appear on the serial console in time
"""


class LabError(Exception):
    """The root of everything the lab raises on purpose."""


class InvalidSpec(LabError):
    pass


class MissingPackage(LabError):
    pass


class LabBusy(LabError):
    pass


class ResetRefused(LabError):
    pass


class MediaRefused(LabError):
    pass


class VmError(LabError):
    pass


class PowerLost(VmError):
    pass


class ImageBuildFailed(LabError):
    pass


class ConsoleTimeout(LabError):
    pass
