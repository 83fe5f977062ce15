"""BIOS attributes of a virtual server. They are kept and reported; nothing heeds them."""

#: Every attribute and the values it may have; the first is the default.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "EmbeddedSata": ("Ahci", "Raid", "Off"),
    "LogicalProc": ("Enabled", "Disabled"),
    "NumLock": ("On", "Off"),
    "ProcTurboMode": ("Enabled", "Disabled"),
    "ProcVirtualization": ("Enabled", "Disabled"),
    "QuietBoot": ("Enabled", "Disabled"),
    "SriovGlobalEnable": ("Disabled", "Enabled"),
    "SysProfile": ("Performance", "PowerSaving", "Custom"),
}

DEFAULT_ATTRIBUTES: dict[str, str] = {name: values[0] for name, values in ATTRIBUTES.items()}
