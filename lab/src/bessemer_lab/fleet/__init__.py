"""A simulated fleet: one process that answers as thousands of servers, each with a BMC and a ramdisk agent.

Each server has an address of its own in 127.0.0.0/8, all served by one listening socket; to the service they
are as many machines as there are addresses. Nothing is run: a server is a record of its power, its boot
override, its virtual CD and the images written to its disk. What it was asked is kept (``record``).
"""

from bessemer_lab.fleet.fault import Chance
from bessemer_lab.fleet.fleet import Fleet
from bessemer_lab.fleet.machine import ImageWrite, Pace, SimulatedServer
from bessemer_lab.fleet.record import Call, Record

__all__ = ["Call", "Chance", "Fleet", "ImageWrite", "Pace", "Record", "SimulatedServer"]
