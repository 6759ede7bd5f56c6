"""What traffic sees of health (data-plane.md 9.5, 9.6), and how probes are spread."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.fronts import FRONTS, Asker, ask, make_front
from rig import modes
from rig.crowd import Crowd
from rig.timing import LATE, now, wait_until

MEMBERS = 500


def statuses(service) -> list[str]:
    return [service.member_status(i)["operating_status"] for i in range(len(service.members))]


@pytest.fixture
def make(api, lb, backend, certificate):
    """`make(front, pool=…)`: two members with a monitor, ONLINE."""

    def build(front: str, **more):
        members = [backend(), backend()]
        service = make_front(api, lb, members, front, certificate, **more)
        api.add_monitor(service.pool["id"])
        wait_until(lambda: statuses(service) == ["ONLINE", "ONLINE"], 20, "both ONLINE")
        return service

    return build


def fail_all(service) -> None:
    for member in service.backends:
        member.probe_mode = modes.status(500)
    wait_until(lambda: statuses(service) == ["OFFLINE", "OFFLINE"], 20, "both OFFLINE")


@pytest.mark.parametrize("front", FRONTS)
def test_T9_8_all_offline_is_503_within_100_ms_and_asks_nobody(make, front):
    service = make(front)
    fail_all(service)
    with Asker(service, front) as asker:
        asker.connect()
        before = now()
        reply = asker.ask()
        assert now() - before <= 0.1 + LATE
        assert (reply.status, reply.get("x-router-code")) == (503, "50000")
        assert not reply.closes and asker.ask().status == 503
    assert [member.requests for member in service.backends] == [[], []]


@pytest.mark.parametrize("front", FRONTS)
def test_T9_8_fail_open_lets_requests_flow(make, front):
    """`minimum_healthy_member_count` 1: with nobody ONLINE all are eligible, until one is."""
    service = make(front, pool={"pool_health": {"minimum_healthy_member_count": 1}})
    fail_all(service)
    replies = [ask(service, front) for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 6
    assert [len(member.requests) for member in service.backends] == [3, 3]
    service.backends[1].probe_mode = modes.ok()
    wait_until(lambda: statuses(service)[1] == "ONLINE", 20, "one ONLINE")
    assert {ask(service, front).json()["id"] for _ in range(6)} == {service.backends[1].name}


def test_T9_8_fail_open_leaves_weight_0_out(make):
    service = make("http", pool={"pool_health": {"minimum_healthy_member_count": 1}})
    fail_all(service)
    service.set_weight(0, 0)
    assert {ask(service, "http").json()["id"] for _ in range(4)} == {service.backends[1].name}
    service.set_weight(1, 0)
    assert ask(service, "http").status == 503


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
def test_T9_9_500_first_probes_are_spread_and_cheap(own_daemon):
    running = own_daemon(release=True)
    api = running.api()
    with Crowd(running.subnet.second) as crowd:
        service = api.make_service(api.make_lb(), [])
        api.add_monitor(service.pool["id"], delay=5, timeout=5)
        path = f"pools/{service.pool['id']}/members/batch-add"
        made = api.call("POST", path, {"members": crowd.members(MEMBERS)}).expect(201)
        assert len(made.body["members"]) == MEMBERS
        wait_until(lambda: len(crowd.probed) >= MEMBERS, 20, "the first probes")
        moments = sorted(at for _, at in crowd.probed[:MEMBERS])
        assert len({address for address, _ in crowd.probed[:MEMBERS]}) == MEMBERS
        assert 0.8 <= moments[-1] - moments[0] <= 1.0 + LATE
        quarter = [sum(a <= at - moments[0] < a + 0.25 for at in moments) for a in (0, 0.25, 0.5)]
        assert all(75 <= count <= 175 for count in quarter), quarter
        begun, spent = now(), processor_seconds(running.pid)
        wait_until(lambda: len(crowd.probed) >= 3 * MEMBERS, 30, "two more rounds")
        share = (processor_seconds(running.pid) - spent) / (now() - begun)
        if not running.sanitized:
            assert share < 0.2, f"{100 * share:.0f} % of a core"
