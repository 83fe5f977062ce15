"""A Redfish BMC over HTTPS in front of a virtual board.

Source: DMTF DSP0266 (protocol) and DSP8010 (schemas).
"""

from bessemer_lab.bmc.fault import Faults
from bessemer_lab.bmc.journal import RequestEntry, RequestJournal
from bessemer_lab.bmc.server import Bmc

__all__ = ["Bmc", "Faults", "RequestEntry", "RequestJournal"]
