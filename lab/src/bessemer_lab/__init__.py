"""Virtual bare metal: QEMU machines whose BMCs speak Redfish.

Start with ``bessemer_lab.lab.Lab`` and ``bessemer_lab.machine``.
"""
