"""Choosing ports, and saying who holds one that is taken."""

from __future__ import annotations

import os
import socket
from dataclasses import astuple

import psutil
import pytest

from deploy.local import Ports, PortsTakenError, free_ports, read_ports
from deploy.local.ports import check_free
from shared.errors import SettingsError


def test_an_offset_moves_every_default_but_no_port_the_user_chose():
    """Two systems can run side by side with one number."""
    ports = read_ports({"INSTADISTRO_PORT_OFFSET": "100", "API_PORT": "8888"})

    assert ports == Ports(**{name: value + 100 for name, value in vars(Ports()).items() if name != "api"}, api=8888)
    assert read_ports({"INSTADISTRO_PORT_OFFSET": "100"}, offset=0) == Ports()


def test_every_fault_of_the_chosen_ports_is_told_at_once():
    """One look at the message is enough to mend the environment."""
    with pytest.raises(SettingsError) as caught:
        read_ports({"API_PORT": "http", "REDIS_PORT": "0", "EPMD_PORT": "70000"})

    assert caught.value.faults == [
        "API_PORT must be a whole number, not 'http'",
        "REDIS_PORT would be 0; it must be from 1 to 65535",
        "EPMD_PORT would be 70000; it must be from 1 to 65535",
    ]


def test_two_listeners_cannot_share_a_port():
    """A clash among our own ports is found before anything starts."""
    with pytest.raises(SettingsError, match="REDIS_PORT and RABBITMQ_PORT are both 7000"):
        read_ports({"REDIS_PORT": "7000", "RABBITMQ_PORT": "7000"})


def test_a_taken_port_is_named_with_its_holder_and_a_way_out():
    """The one message lists every taken port, by what, and how to choose others."""
    with (
        free_ports() as ports,
        socket.create_server(("127.0.0.1", ports.redis)),
        socket.create_server(("", ports.epmd)),
    ):
        with pytest.raises(PortsTakenError) as caught:
            check_free(ports, ["postgres", "redis", "epmd"])

        text = str(caught.value)
        holder = f"pid {os.getpid()} ({psutil.Process().name()})"
        assert f"{ports.redis} (REDIS_PORT) is held by {holder}" in text
        assert f"{ports.epmd} (EPMD_PORT) is held by {holder}" in text
        assert "POSTGRES_PORT" not in text
        assert "--port-offset" in text

    check_free(ports, ["postgres", "redis", "epmd"])


def test_a_holder_that_cannot_be_seen_is_called_another_users(monkeypatch):
    """Where the system hides the process, the message says so instead of nothing."""
    monkeypatch.setattr(psutil, "net_connections", _denied)

    with (
        free_ports() as ports,
        socket.create_server(("127.0.0.1", ports.redis)),
        pytest.raises(PortsTakenError, match="is held by another user's process"),
    ):
        check_free(ports, ["redis"])


def _denied(**_):
    raise psutil.AccessDenied


def test_remains_of_closed_connections_do_not_make_a_port_taken():
    """A restart right after a stop finds its port free."""
    with free_ports() as ports:
        with socket.create_server(("127.0.0.1", ports.redis)) as server:
            client = socket.create_connection(("127.0.0.1", ports.redis))
            accepted, _ = server.accept()
            accepted.close()  # closes first, so this side keeps the port in TIME_WAIT
            client.close()

        check_free(ports, ["redis"])


def test_free_ports_are_given_to_one_caller_at_a_time():
    """Test runs at the same time cannot collide."""
    with free_ports() as first, free_ports() as second:
        assert not set(astuple(first)) & set(astuple(second))
        assert len(set(astuple(first))) == len(astuple(first))
