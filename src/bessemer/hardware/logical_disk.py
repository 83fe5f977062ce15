"""What clients are told of the properties of a logical disk. Source: v1 contract, target_raid_config."""

from collections.abc import Mapping

from bessemer.domain.raid import LEVELS

LOGICAL_DISK_PROPERTIES: Mapping[str, str] = {
    "controller": "Controller that carries the volume; 'software' is the operating system's. Optional.",
    "disk_type": "Kind of disks to use: hdd or ssd. Optional.",
    "interface_type": "Interface of the disks to use: sata, scsi or sas. Optional.",
    "is_root_volume": "Whether the operating system goes onto this volume; at most one may say so. Optional.",
    "number_of_physical_disks": "How many disks to use. Optional, by default the fewest that can do it.",
    "physical_disks": "The disks to use, as the controller names them. Needs 'controller'. Optional.",
    "raid_level": f"RAID level: {', '.join(LEVELS)}. Required.",
    "share_physical_disks": "Whether other volumes may use the same disks; false by default. Optional.",
    "size_gb": "Size in GiB, or MAX for all the room there is. Required.",
    "volume_name": "Name of the volume; made up when absent. Optional.",
}
