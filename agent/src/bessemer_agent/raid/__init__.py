"""Software RAID: arrays of the kernel's md driver over partitions of a machine's disks.

``volume`` understands what is asked for, ``layout`` says which part of which disk goes where (both pure),
``array`` has mdadm carry it out. Source: md(4), mdadm(8); Ironic's documentation of software RAID.
"""
