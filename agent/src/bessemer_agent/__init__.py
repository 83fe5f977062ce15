"""The ramdisk agent: finds its service, tells what the machine is, and works on its disks."""
