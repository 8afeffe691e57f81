"""Ports that nobody listens on."""

from __future__ import annotations

import socket

from outsole.free_ports import free_ports

HOST = "127.0.0.1"


def test_free_ports_differ_can_be_bound_and_lie_below_those_of_clients() -> None:
    ports = free_ports(20, host=HOST)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as server, socket.socket() as client:
            server.bind((HOST, port))
            server.listen()
            client.connect((HOST, port))
            assert port < client.getsockname()[1]
