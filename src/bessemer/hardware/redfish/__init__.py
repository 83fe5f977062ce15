"""Machines whose BMC speaks Redfish. Source: DMTF DSP0266 (protocol), DSP8010 (schemas)."""
