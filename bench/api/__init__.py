"""The v1 API measured from outside: a server of its own, one client, real sockets, CPU from /proc."""
