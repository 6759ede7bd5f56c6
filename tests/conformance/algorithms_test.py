"""Least connections, source IP and draining (data-plane.md 6.3, 6.4, 6.7)."""

from __future__ import annotations

import threading

import pytest

from conformance.fronts import FRONTS, Asker, ask, make_front
from rig import modes
from rig.load import NginxMember, Wrk
from rig.parallel import concurrently, spread
from rig.timing import LATE, now, wait_until

STREAMS = 50  # Of one HTTP/2 connection; the limit is 128.


class Held:
    """Requests that their members do not answer until told to."""

    def __init__(self, service, front: str, gate: threading.Event):
        self.service, self.front, self.gate = service, front, gate
        self.waiting: list[tuple[Asker, int | None]] = []

    def add(self, count: int) -> None:
        """One after the other, so that each pick sees the ones before it."""
        per_connection = STREAMS if self.front == "h2" else 1
        for number in range(count):
            if number % per_connection == 0:
                asker = Asker(self.service, self.front).connect()
            before = self.held()
            self.waiting.append((asker, asker.start("/held")))
            wait_until(lambda: self.held() == before + 1, 10, "the request at a member")

    def counts(self) -> list[int]:
        return self.service.counts(["/held"])

    def held(self) -> int:
        return sum(self.counts())

    def release(self) -> list[int]:
        self.gate.set()
        return [asker.finish(stream).status for asker, stream in self.waiting]


@pytest.fixture
def hold(api, lb, backend, certificate):
    """`hold(front, weights)`: a least-connections service whose members hold every request."""
    gate = threading.Event()

    def build(front: str, weights) -> Held:
        members = [backend(mode=modes.held(gate)) for _ in weights]
        service = make_front(api, lb, members, front, certificate, weights=weights,
                             pool={"lb_algorithm": "LEAST_CONNECTIONS"})
        return Held(service, front, gate)

    yield build
    gate.set()


@pytest.mark.slow
@pytest.mark.parametrize("front", FRONTS)
def test_T6_4_the_less_busy_member_gets_the_next_requests(hold, front):
    """100 held on A and 50 on B, the next 50: all to B."""
    held = hold(front, [1, 0])
    held.add(100)
    held.service.set_weight(0, 0)
    held.service.set_weight(1, 1)
    held.add(50)
    held.service.set_weight(0, 1)
    assert held.counts() == [100, 50]
    held.add(50)
    assert held.counts() == [100, 100]
    assert held.release() == [200] * 200


@pytest.mark.slow
@pytest.mark.parametrize("front", FRONTS)
def test_T6_4_connections_are_held_in_proportion_to_weights(hold, front):
    held = hold(front, [3, 1])
    held.add(40)
    assert held.counts() == [30, 10]
    assert held.release() == [200] * 40


def test_6_3_an_idle_upstream_connection_counts_nothing(api, lb, backend):
    members = [backend(), backend()]
    service = api.make_service(lb, members, pool={"lb_algorithm": "LEAST_CONNECTIONS"})
    with service.client() as client:
        names = [client.get().json()["id"] for _ in range(10)]
    assert sorted(names.count(member.name) for member in members) == [5, 5]


CLIENTS = [f"127.0.0.{number}" for number in range(1, 255)]


def mapping(service, front: str) -> dict[str, str]:
    """Which member each client address reaches."""

    def one(source: str) -> tuple[str, str]:
        with Asker(service, front, source) as asker:
            reply = asker.ask()
            assert reply.status == 200, reply
            return source, reply.body.decode()

    return dict(spread(CLIENTS, 4, one))


def wait_for(service, index: int, status: str) -> None:
    wait_until(lambda: service.member_status(index)["operating_status"] == status, 20, status)


@pytest.mark.slow
def test_T6_5_a_client_keeps_its_member(own_daemon, backend):
    """Stop and start of a member, a restart of the process, weights: only the clients of the
    stopped member move, and they come back."""
    running = own_daemon()
    api = running.api()
    members = [backend(mode=modes.fixed(b"E%d" % number)) for number in range(5)]
    service = api.make_service(api.make_lb(), members, pool={"lb_algorithm": "SOURCE_IP"})
    api.add_monitor(service.pool["id"], type="TCP", timeout=5)
    for index in range(5):
        wait_for(service, index, "ONLINE")
    original = mapping(service, "http")
    assert set(original.values()) == {f"E{number}" for number in range(5)}
    assert mapping(service, "http") == original

    members[2].set(modes.refuse)
    wait_for(service, 2, "OFFLINE")
    moved = mapping(service, "http")
    assert "E2" not in moved.values()
    assert {s: m for s, m in moved.items() if original[s] != "E2"} == {
        s: m for s, m in original.items() if m != "E2"
    }
    members[2].set(modes.fixed(b"E2"))
    wait_for(service, 2, "ONLINE")
    assert mapping(service, "http") == original

    running.restart()
    service.api = running.api()  # Its port is another one now.
    assert mapping(service, "http") == original
    for index in range(5):
        service.set_weight(index, 100 if index % 2 else 7)
    assert mapping(service, "http") == original


@pytest.mark.parametrize("front", ["https", "h2"])
def test_T6_5_the_mapping_is_that_of_the_address_alone(api, lb, backend, certificate, front):
    """Neither port nor X-Forwarded-For counts; weight 0 does."""
    members = [backend() for _ in range(5)]
    service = make_front(api, lb, members, front, certificate, pool={"lb_algorithm": "SOURCE_IP"})

    def reached(source: str, forwarded: str) -> str:
        with Asker(service, front, source) as asker:
            return asker.ask(fields=[("X-Forwarded-For", forwarded)]).json()["id"]

    (name,) = {reached("127.0.0.9", f"10.0.0.{number}") for number in range(8)}
    index = [member.name for member in members].index(name)
    service.set_weight(index, 0)
    assert reached("127.0.0.9", "10.0.0.1") != name


@pytest.mark.slow
def test_T6_6_weight_0_under_load_is_weight_0_when_acknowledged(api, lb, backend):
    """Weight 1 of 21 keeps the scripted member as slow as it is; nginx takes the rest."""
    counted = backend()
    with NginxMember("fast") as fast:
        service = api.make_service(lb, [counted, fast], weights=[1, 20])
        load = Wrk(service.origin, 32)
        try:
            for _ in range(10):
                seen = len(counted.requests)
                counted.wait_for_requests(seen + 5)
                service.set_weight(0, 0)
                acknowledged = now()
                threading.Event().wait(0.5)  # Time in which nothing may arrive.
                # Sent before the acknowledgement, read by this slow member a moment later.
                late = [r.at - acknowledged for r in counted.requests if r.at > acknowledged + 0.2]
                assert late == []
                service.set_weight(0, 1)
        finally:
            result = load.stop()
    assert (result.failed, result.socket_errors) == (0, 0), result.text


@pytest.mark.slow
def test_T6_7_a_removed_member_finishes_what_it_has(api, lb, backend, certificate):
    """20 requests in slow(5): all complete, over each kind of listener."""

    def drain(front: str) -> None:
        members = [backend(mode=modes.slow(5)), backend(mode=modes.ok())]
        service = make_front(api, lb, members, front, certificate)
        service.set_weight(1, 0)
        askers = [Asker(service, front).connect() for _ in range(2 if front == "h2" else 20)]
        waiting = [(asker, asker.start("/slow")) for asker in askers
                   for _ in range(20 // len(askers))]
        members[0].wait_for_requests(20)
        api.delete("member", service.members[0]["id"], service.pool["id"])
        service.set_weight(1, 1)
        removed = now()
        assert ask(service, front).json()["id"] == members[1].name
        answers = [asker.finish(stream) for asker, stream in waiting]
        assert [(a.status, a.json()["id"]) for a in answers] == [(200, members[0].name)] * 20
        assert now() - removed <= 5 + 2 * LATE
        for asker in askers:
            asker.close()

    concurrently(*[lambda front=front: drain(front) for front in FRONTS])
