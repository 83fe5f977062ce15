"""Ports for servers that have to be told where to listen."""

import random
import socket
from contextlib import suppress

#: Below those that Linux gives to connections: what is free here is not taken by one a moment later.
_PORTS = range(12_000, 32_000)
_DICE = random.SystemRandom()


def free_port(address: str = "127.0.0.1") -> int:
    """One on which nobody listens at ``address``, by chance: other tests are looking at the same time."""
    while True:
        port = _DICE.choice(_PORTS)
        with suppress(OSError), socket.socket() as probe:
            probe.bind((address, port))
            return port
