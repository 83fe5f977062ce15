"""Reserved ports."""

import socket

import pytest

from bessemer_lab.port import PortReservation


def test_a_reserved_port_refuses_connections() -> None:
    reservation = PortReservation()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", reservation.port), timeout=30)
    reservation.close()


def test_a_server_of_ours_can_listen_on_a_reserved_port() -> None:
    reservation = PortReservation()
    with socket.create_server(("127.0.0.1", reservation.port)):
        socket.create_connection(("127.0.0.1", reservation.port), timeout=30).close()
    reservation.close()


def test_another_program_cannot_take_a_reserved_port_by_chance() -> None:
    reservation = PortReservation()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", reservation.port))
    reservation.close()


def test_a_wanted_port_that_is_taken_is_replaced() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        reservation = PortReservation(wanted)
        assert reservation.port not in (0, wanted)
        reservation.close()


def test_a_wanted_port_that_is_free_is_had_again() -> None:
    first = PortReservation()
    first.close()
    again = PortReservation(first.port)
    assert again.port == first.port
    again.close()
