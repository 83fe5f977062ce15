"""What the machine is made of, read from the kernel (sysfs, procfs) and udev; every reader takes the root
of the file system so that it can be shown another machine.
"""
