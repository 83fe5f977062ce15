"""Loopback TCP ports that stay ours while a machine is off."""

import socket


class PortReservation:
    """A loopback port held bound, never listening, until closed.

    While it is held no other program gets the port by chance, connections to it are refused, and a server
    that sets SO_REUSEADDR (QEMU's port forwards and asyncio's servers do) can bind and listen on it.
    """

    def __init__(self, wanted: int = 0) -> None:
        """Reserve ``wanted``; another free port when it is 0 or taken."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind(("127.0.0.1", wanted))
        except OSError:
            self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def close(self) -> None:
        """Give the port back. Idempotent."""
        self._socket.close()
