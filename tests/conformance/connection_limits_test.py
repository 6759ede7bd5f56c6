"""Limits of connections (data-plane.md 1.9)."""

from __future__ import annotations

import socket

import pytest

from rig.h2client import H2Client
from rig.timing import now, wait_until
from rig.tls import SUITES, client_hello

CONNECTIONS_MAX, PER_SECOND_MAX, TRIES = 5, 10, 30


@pytest.fixture(params=["http", "https"])
def kind(request):
    return request.param


@pytest.fixture
def make(api, lb, backend, certificate, kind):
    def build(**listener):
        more = {"certificate": certificate, "http2_enable": True} if kind == "https" else {}
        return api.make_service(lb, [backend()], port=8080, **more, **listener)

    return build


def fate(service, made: socket.socket) -> str:
    """`served`, `reset` (over TLS before the ServerHello) or `ended` of a connection."""
    made.setblocking(True)
    made.settimeout(20)
    first = b"GET /within HTTP/1.1\r\nHost: a.test\r\n\r\n"
    if service.is_tls:
        first = client_hello("1.2", list(SUITES.values()), "a.test")
    try:
        made.sendall(first)
        return "served" if made.recv(65536)[:1] in (b"H", b"\x16") else "ended"
    except (ConnectionResetError, BrokenPipeError):
        return "reset"


def is_reset(service) -> bool:
    """Whether a new connection is reset; otherwise it is served."""
    try:
        with socket.create_connection((service.address, service.port)) as made:
            seen = fate(service, made)
    except ConnectionResetError:
        seen = "reset"
    assert seen != "ended", "closed by FIN"
    return seen == "reset"


def close_all(sockets) -> None:
    for each in sockets:
        each.close()


def dropped(daemon, service) -> float:
    labels = {"lbaas_listener_id": service.listener["id"]}
    return daemon.metrics().total("elb_dropped_connections", **labels)


def open_now(daemon, service) -> float:
    return daemon.metrics().total("elb_m1_cps", lbaas_listener_id=service.listener["id"])


def test_T1_8_the_6th_connection_is_reset(daemon, make):
    service = make(connection_limit=CONNECTIONS_MAX)
    clients = [service.client() for _ in range(CONNECTIONS_MAX)]
    try:
        assert [client.get().status for client in clients] == [200] * CONNECTIONS_MAX
        assert [is_reset(service) for _ in range(3)] == [True] * 3
        wait_until(lambda: dropped(daemon, service) == 3, 5, "the refusals in the metrics")
        assert [client.get().status for client in clients] == [200] * CONNECTIONS_MAX
        clients.pop().close()
        wait_until(lambda: open_now(daemon, service) == CONNECTIONS_MAX - 1, 5, "the free place")
        clients.append(service.client())
        assert clients[-1].get().status == 200
        assert is_reset(service)
    finally:
        for client in clients:
            client.close()


def test_T1_8_connections_that_say_nothing_count(daemon, make):
    service = make(connection_limit=CONNECTIONS_MAX)
    silent = [socket.create_connection((service.address, service.port))
              for _ in range(CONNECTIONS_MAX)]  # fmt: skip
    try:
        wait_until(lambda: open_now(daemon, service) == CONNECTIONS_MAX, 5, "their acceptance")
        assert is_reset(service)
    finally:
        close_all(silent)
    wait_until(lambda: not is_reset(service), 5, "a free place")


def test_T1_8_the_limit_can_be_changed_and_lifted(make):
    """Existing connections are never killed to make room."""
    service = make()
    with service.client() as first, service.client() as second:
        service.update_listener(connection_limit=1)
        assert is_reset(service)
        assert [first.get().status, second.get().status] == [200, 200]
        service.update_listener(connection_limit=3)
        with service.client() as third:
            assert third.get().status == 200
            assert is_reset(service)
        service.update_listener(connection_limit=-1)
        with service.client() as more, service.client() as still_more:
            assert [more.get().status, still_more.get().status] == [200, 200]


def test_T1_8_limit_0_lets_nobody_in(make):
    service = make(connection_limit=0)
    assert [is_reset(service) for _ in range(3)] == [True] * 3
    assert service.backends[0].requests == []


def test_T1_8_streams_are_not_connections(api, lb, backend, certificate):
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate,
                               http2_enable=True, connection_limit=1)
    with H2Client(service.address, service.port) as client:
        streams = [client.send_request(f"/{number}") for number in range(20)]
        client.wait_for(*streams)
        assert [client.streams[stream].status for stream in streams] == [200] * 20
        assert is_reset(service)


def test_T1_8_ten_new_connections_a_second(daemon, make):
    """A token bucket that holds 1 s of the rate; what is refused is reset, the others go on."""
    service = make()
    with service.client() as before:
        assert before.get().status == 200
        service.update_listener(cps_limit=PER_SECOND_MAX)
        begun = now()
        sockets = []
        for _ in range(TRIES):
            made = socket.socket()
            made.setblocking(False)
            made.connect_ex((service.address, service.port))
            sockets.append(made)
        tried = now() - begun
        fates = [fate(service, each) for each in sockets]
        accepted = fates.count("served")
        assert accepted + fates.count("reset") == TRIES
        most = PER_SECOND_MAX + 1 + int((tried + 0.25) * PER_SECOND_MAX)
        assert PER_SECOND_MAX <= accepted <= most, f"{accepted} within {tried:.3f} s"
        assert before.get().status == 200
        close_all(sockets)
    wait_until(lambda: dropped(daemon, service) == TRIES - accepted, 5, "the metrics")
    wait_until(lambda: not is_reset(service), 5, "new tokens")


def test_T1_8_listeners_have_limits_of_their_own(api, lb, backend):
    one = api.make_service(lb, [backend()], port=8081, connection_limit=1)
    other = api.make_service(lb, [backend()], port=8082)
    with one.client() as client:
        assert client.get().status == 200
        assert is_reset(one)
        assert other.get().status == 200
