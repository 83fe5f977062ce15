"""Pure records and rules of bare metal: no I/O, no clock, no SQL, no HTTP."""
