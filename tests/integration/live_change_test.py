"""Configuration changes under traffic: nothing fails, nothing is cut (data-plane.md 0.2, 13)."""

from __future__ import annotations

import pytest

from rig.load import NginxMember, Wrk
from rig.observe import resident_kib
from rig.timing import FULL, wait_until

CREATIONS = 200 if FULL else 60
WEIGHT_CHANGES = 10_000 if FULL else 1_000
REPLACEMENTS = 500 if FULL else 50
CONNECTIONS = 64
KIB = 1024


@pytest.fixture(scope="module")
def members():
    made = [NginxMember(name) for name in ("A", "B")]
    yield made
    for member in made:
        member.stop()


@pytest.mark.slow
def test_each_creation_serves_at_once(api, server_certificates, members):
    """Load balancer, certificate, listener, pool, members and monitor through REST, then a request
    immediately: never a failure. 200 times over with ELB_FULL=1."""
    for number in range(CREATIONS):
        lb = api.make_lb(name=f"live-{number}")
        certificate = api.make_certificate(server_certificates["ec"])
        service = api.make_service(lb, members, port=443, certificate=certificate)
        api.add_monitor(service.pool["id"])
        answer = service.get(f"/{number}")
        assert (answer.status, answer.body in (b"A", b"B")) == (200, True), number
        api.drop_lb(lb["id"])
        api.delete("certificate", certificate["id"])


@pytest.mark.slow
def test_a_listener_created_last_serves_at_once(api, lb, members):
    """The other order: pool and members first, so that the listener's acknowledgement counts."""
    pool = api.make_pool(lb["id"])
    for member in members:
        api.add_member(pool["id"], member)
    from rig.clients import RawClient

    for turn in range(CREATIONS):
        listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP",
                              protocol_port=8000 + turn, default_pool_id=pool["id"])
        with RawClient(lb["vip_address"], 8000 + turn) as client:
            assert client.get().status == 200
        api.update("listener", listener["id"], default_pool_id=None)
        api.delete("listener", listener["id"])
        with pytest.raises(ConnectionRefusedError):
            RawClient(lb["vip_address"], 8000 + turn)


@pytest.mark.slow
def test_changes_under_64_keep_alive_connections(own_daemon, members, ca):
    """Weight changes and certificate replacements: no failed request, no closed connection, memory
    flat. 10,000 and 500 of them with ELB_FULL=1."""
    running = own_daemon(release=True)
    api = running.api()
    issued = [ca.issue("a.test", key=kind) for kind in ("ec", "rsa")]
    certificate = api.make_certificate(issued[0])
    service = api.make_service(api.make_lb(), members, port=8443, certificate=certificate)
    load = Wrk(service.origin, CONNECTIONS)
    try:
        labels = {"lbaas_listener_id": service.listener["id"]}

        def open_connections() -> float:
            return running.metrics().total("elb_m1_cps", **labels)

        wait_until(lambda: open_connections() == CONNECTIONS, 20, "64 connections")
        change(api, service, certificate, issued, WEIGHT_CHANGES // 10, REPLACEMENTS // 10)
        before = resident_kib(running.pid)
        change(api, service, certificate, issued, WEIGHT_CHANGES, REPLACEMENTS)
        grown = resident_kib(running.pid) - before
        assert open_connections() == CONNECTIONS
    finally:
        result = load.stop()
    assert (result.failed, result.socket_errors) == (0, 0), result.text
    assert result.requests > 1000, result.text
    opened = running.metrics().total("elb_m4_ncps", **labels)
    checks = REPLACEMENTS + REPLACEMENTS // 10
    assert opened <= CONNECTIONS + checks + 1, "connections were closed and opened again"
    limit = 96 * KIB if running.sanitized else 4 * KIB
    assert grown <= limit, f"memory grew by {grown} KiB"


def change(api, service, certificate, issued, weights: int, replacements: int) -> None:
    """So many weight changes, with the certificate replacements spread evenly among them."""
    every = max(1, weights // replacements)
    for turn in range(weights):
        service.set_weight(turn % 2, turn % 100 + 1)
        if turn % every == 0 and turn // every < replacements:
            wanted = issued[turn // every % 2]
            api.update("certificate", certificate["id"], certificate=wanted.chain_pem,
                       private_key=wanted.key_pem)
            with service.client() as fresh:
                assert fresh.peer_serial == wanted.serial


@pytest.mark.slow
def test_a_member_that_stops_fails_no_request(api, lb, members):
    """Retries hide the time until the health check sees it; then it takes traffic again."""
    from rig.backend import Backend
    from rig import modes

    with Backend("leaver") as leaver:
        service = api.make_service(lb, [members[0], leaver])
        api.add_monitor(service.pool["id"])

        def status() -> str:
            return service.member_status(1)["operating_status"]

        wait_until(lambda: status() == "ONLINE", 10)
        wait_until(lambda: service.get("/warm").status == 200, 10)
        leaver.set(modes.refuse)
        statuses = {service.get("/gone").status for _ in range(50)}
        wait_until(lambda: status() == "OFFLINE", 10)
        statuses |= {service.get("/gone").status for _ in range(50)}
        leaver.set(modes.ok())
        wait_until(lambda: status() == "ONLINE", 10)
        seen = len(leaver.requests)
        statuses |= {service.get("/back").status for _ in range(10)}
        assert statuses == {200}
        assert len(leaver.requests) == seen + 5


@pytest.mark.slow
def test_weight_0_under_load_loses_nothing(api, lb, members):
    """T6.6: after the acknowledgement the member gets no new request; no failures."""
    service = api.make_service(lb, members)
    load = Wrk(service.origin, 16)
    try:
        for _ in range(20):
            service.set_weight(0, 0)
            assert {service.get().body for _ in range(5)} == {b"B"}
            service.set_weight(0, 1)
    finally:
        result = load.stop()
    assert (result.failed, result.socket_errors) == (0, 0), result.text
