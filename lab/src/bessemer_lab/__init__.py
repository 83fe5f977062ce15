"""Virtual bare metal: QEMU machines whose BMCs speak Redfish."""
