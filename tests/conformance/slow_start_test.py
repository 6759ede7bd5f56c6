"""Slow start (data-plane.md 8): 100 requests a second, one after the other, D = 30 s.

All cases run at the same time, so that the file takes little more than its longest case. Without a
health monitor a member enters slow start when it is registered; that is the clock's zero."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from rig import modes
from rig.load import NginxMember
from rig.parallel import concurrently
from rig.timing import now, wait_until

RATE = 100  # Requests a second.
DURATION = 30
SLOW = {"slow_start": {"enable": True, "duration": DURATION}}


@dataclass
class Tally:
    """Which member answered the request that was due at which second after zero."""

    answers: list[tuple[float, str]]

    def count(self, name: str, first: float = 0.0, last: float = 1e9) -> int:
        return sum(who == name and first <= due < last for due, who in self.answers)

    def share(self, name: str, first: float, last: float) -> float:
        everyone = sum(first <= due < last for due, _ in self.answers)
        return self.count(name, first, last) / everyone


def drive(service, zero: float, first: float, last: float) -> Tally:
    """Sends the requests due from `first` to `last` seconds after `zero`, each at its moment."""
    answers: list[tuple[float, str]] = []
    clock = threading.Event()
    with service.client() as client:
        for number in range(round(first * RATE), round(last * RATE)):
            due = number / RATE
            clock.wait(max(0.0, zero + due - now()))
            reply = client.get()
            assert reply.status == 200, reply
            answers.append((due, reply.body.decode()))
    behind = now() - zero - last
    assert behind <= 1.0, f"the machine is too busy for {RATE} requests a second: {behind:.1f} s"
    return Tally(answers)


@pytest.fixture(scope="module")
def fleet():
    """Fast members that answer with their names; usable in every pool."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(NginxMember(name)) for name in "ABCD"}


@pytest.fixture(scope="module")
def start(api, module_lb, fleet):
    """`start(port, A=10)`: a slow-starting service with these members and weights."""

    def build(port: int, pool=None, **weights):
        return api.make_service(module_lb, [fleet[name] for name in weights], port=port,
                                weights=weights.values(), pool={**SLOW, **(pool or {})})

    return build


def join(api, service, member, weight: int) -> float:
    """Registers a member; returns the moment, which is zero for it."""
    before = now()
    made = api.add_member(service.pool["id"], member, weight=weight)
    service.members.append(made)
    # Registered between the two moments; the middle is wrong by no more than half of it.
    return (before + now()) / 2


def check(got: float, wanted: float, tolerance: float, what: str) -> None:
    assert abs(got - wanted) <= tolerance, f"{what}: {got}, not {wanted} ± {tolerance}"


def equal_servers(api, start, fleet) -> None:
    """T8.1."""
    service = start(8101, A=10)
    tally = drive(service, join(api, service, fleet["B"], 10), 0, 40)
    check(tally.count("B", 0, 30), 750, 20, "B of the first 3,000")
    check(tally.count("B", 10, 15), 104, 8, "B from 10 to 15 s")
    check(100 * tally.share("B", 30, 40), 50, 1, "percentage of B after 30 s")


def unequal_weights(api, start, fleet) -> None:
    """T8.2."""
    service = start(8102, A=30)
    tally = drive(service, join(api, service, fleet["B"], 10), 0, 31)
    check(tally.count("B", 0, 30), 375, 15, "B of the first 3,000")


def first_server_and_later_ones(api, start, fleet) -> None:
    """T8.3, its parts with single registrations."""
    service = start(8103)
    zero = join(api, service, fleet["A"], 1)
    assert drive(service, zero, 0, 1).count("A") == RATE
    zero = join(api, service, fleet["B"], 1)
    # f = t/30 from t = 1 s on: of 500 requests B gets 2 % for a second, then up to 8 %.
    check(drive(service, zero, 0, 5).count("B"), 22, 8, "B of its first 500")


def interrupted_and_completed(api, start, backend, fleet) -> None:
    """T8.4."""
    flapping = backend("B", mode=modes.fixed(b"B"))
    service = start(8104, A=10)
    api.add_monitor(service.pool["id"], type="HTTP")
    wait_until(lambda: service.member_status(0)["operating_status"] == "ONLINE", 20, "A")
    join(api, service, flapping, 10)
    zero = turn(service, flapping, modes.ok(), "ONLINE")
    tally = drive(service, zero, 0, 10)
    check(tally.count("B"), 84, 15, "B of its first 1,000")
    turn(service, flapping, modes.status(500), "OFFLINE")
    zero = turn(service, flapping, modes.ok(), "ONLINE")
    tally = drive(service, zero, 0, 31)
    check(tally.count("B", 0, 5), 22, 10, "B of the first 500 after the interruption")
    check(tally.count("B", 0, 30), 750, 25, "B of the first 3,000 after the interruption")
    turn(service, flapping, modes.status(500), "OFFLINE")
    zero = turn(service, flapping, modes.ok(), "ONLINE")
    check(drive(service, zero, 0, 2).count("B"), 100, 4, "B of 200 once it has completed")


def turn(service, member, probe_mode, status: str) -> float:
    """Changes what probes of the second member see; returns the moment of its transition."""
    member.probe_mode = probe_mode
    wait_until(lambda: service.member_status(1)["operating_status"] == status, 20, status)
    return now()


def the_old_server_leaves(api, start, fleet) -> None:
    """T8.5."""
    service = start(8105, A=1)
    zero = join(api, service, fleet["B"], 1)
    drive(service, zero, 0, 5)
    api.delete("member", service.members[0]["id"], service.pool["id"])
    assert drive(service, zero, 6, 8).count("B") == 2 * RATE


def least_connections(api, start, fleet) -> None:
    """T8.6, first half: stored without effect."""
    service = start(8106, pool={"lb_algorithm": "LEAST_CONNECTIONS"}, A=1)
    zero = join(api, service, fleet["B"], 1)
    check(drive(service, zero, 0, 2).count("B"), 100, 4, "B of 200")


def restart(own_daemon, fleet) -> None:
    """T8.6, second half: no slow start after a restart at t = 5 s."""
    running = own_daemon()
    api = running.api()
    service = api.make_service(api.make_lb(), [fleet["A"]], pool=SLOW)
    zero = join(api, service, fleet["B"], 1)
    check(drive(service, zero, 0, 5).count("B"), 22, 8, "B before the restart")
    running.restart()
    check(drive(service, now(), 0, 2).count("B"), 100, 4, "B of 200 after the restart")


CASES = {
    "T8.1": equal_servers, "T8.2": unequal_weights, "T8.3": first_server_and_later_ones,
    "T8.5": the_old_server_leaves, "T8.6": least_connections,
}  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(api, start, fleet, module_backend, own_daemon):
    """Runs every case at once; what each of them raised, if anything."""
    found: dict[str, BaseException | None] = {}

    def run(name: str, action) -> None:
        try:
            action()
            found[name] = None
        except BaseException as failure:  # Raised again by the test that carries its name.
            found[name] = failure

    actions = {name: lambda case=case: case(api, start, fleet) for name, case in CASES.items()}
    actions["T8.4"] = lambda: interrupted_and_completed(api, start, module_backend, fleet)
    actions["T8.6 restart"] = lambda: restart(own_daemon, fleet)
    concurrently(*[lambda item=item: run(*item) for item in actions.items()])
    return found


def judge(outcomes, name: str) -> None:
    if outcomes[name] is not None:
        raise outcomes[name]


@pytest.mark.slow
def test_T8_1_the_share_of_a_new_server_grows_linearly(outcomes):
    judge(outcomes, "T8.1")


@pytest.mark.slow
def test_T8_2_up_to_its_full_share_by_weight(outcomes):
    judge(outcomes, "T8.2")


@pytest.mark.slow
def test_T8_3_the_first_server_starts_at_full_share_and_the_next_one_slowly(outcomes):
    judge(outcomes, "T8.3")


@pytest.mark.slow
def test_T8_4_interrupted_it_starts_again_and_completed_never(outcomes):
    judge(outcomes, "T8.4")


@pytest.mark.slow
def test_T8_5_the_only_eligible_member_gets_everything(outcomes):
    judge(outcomes, "T8.5")


@pytest.mark.slow
def test_T8_6_no_slow_start_with_least_connections(outcomes):
    judge(outcomes, "T8.6")


@pytest.mark.slow
def test_T8_6_no_slow_start_after_a_restart(outcomes):
    judge(outcomes, "T8.6 restart")


@pytest.mark.slow
def test_T8_3_servers_of_one_call_start_at_equal_shares(api, lb, fleet, backend):
    """Although their first probes succeed at different moments; a fourth one starts slowly."""
    late = backend("late", mode=modes.fixed(b"late"))
    late.probe_mode = modes.slow(2.0)
    service = api.make_service(lb, [], pool=SLOW)
    api.add_monitor(service.pool["id"], timeout=5)
    members = [{"address": m.address, "protocol_port": m.port, "name": m.name}
               for m in (fleet["A"], fleet["B"], late)]
    path = f"pools/{service.pool['id']}/members/batch-add"
    service.members = api.call("POST", path, {"members": members}).expect(201).body["members"]
    for index in range(3):
        wait_until(lambda: service.member_status(index)["operating_status"] == "ONLINE", 20)
    tally = drive(service, now(), 0, 3)
    for name in ("A", "B", "late"):
        check(tally.count(name), 100, 4, name)
    join(api, service, fleet["D"], 1)
    wait_until(lambda: service.member_status(3)["operating_status"] == "ONLINE", 20)
    check(drive(service, now(), 0, 5).count("D"), 11, 6, "D of its first 500")
