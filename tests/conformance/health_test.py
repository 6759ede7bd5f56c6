"""Probes, the state machine and what traffic sees of it (data-plane.md 9)."""

from __future__ import annotations

import time

import pytest

from rig import certs, modes
from rig.backend import PROBE_AGENT
from rig.parallel import concurrently
from rig.timing import LATE, now, wait_until

ONLINE, OFFLINE, NO_MONITOR = "ONLINE", "OFFLINE", "NO_MONITOR"


def status_of(service, index: int = 0) -> str:
    return service.member_status(index)["operating_status"]


def wait_for_status(service, wanted: str, timeout: float, index: int = 0) -> float:
    """Waits until the member has this status; returns when it had."""
    wait_until(lambda: status_of(service, index) == wanted, timeout, f"member {wanted}")
    return now()


def reason_of(service, index: int = 0) -> dict | None:
    (entry,) = service.member_status(index)["status"]
    return entry["reason"]


@pytest.fixture
def make(api, lb, backend):
    """`make(*members, type=…, delay=…)`: a service whose pool has a monitor from the start."""
    ports = iter(range(8080, 8180))

    def build(*members, pool=None, **monitor):
        service = api.make_service(lb, [], port=next(ports), pool=pool)
        api.add_monitor(service.pool["id"], **monitor)
        service.backends = list(members)
        service.members = [api.add_member(service.pool["id"], member) for member in members]
        return service

    return build


@pytest.mark.slow
def test_T9_1_detection_times(make, backend):
    """delay 4, timeout 2, three failures: 14 to 18 s for a black hole, 8 to 12 s when refused;
    repaired, three successes: 8 to 12 s."""
    numbers = {"delay": 4, "timeout": 2, "max_retries": 3, "max_retries_down": 3, "type": "TCP"}

    def lost() -> None:
        member = backend("hole")
        service = make(member, **numbers)
        wait_for_status(service, ONLINE, 5)
        random_wait(1.3)
        before = now()
        member.set(modes.blackhole)
        check_window(wait_for_status(service, OFFLINE, 30) - before, 14, 18)

    def refused_and_repaired() -> None:
        member = backend("refused")
        service = make(member, **numbers)
        wait_for_status(service, ONLINE, 5)
        random_wait(2.1)
        before = now()
        member.set(modes.refuse)
        check_window(wait_for_status(service, OFFLINE, 30) - before, 8, 12)
        before = now()
        member.set(modes.ok())
        check_window(wait_for_status(service, ONLINE, 30) - before, 8, 12)

    concurrently(lost, refused_and_repaired)


def random_wait(seconds: float) -> None:
    """The fault is to come at some moment between two probes."""
    time.sleep(seconds)


def check_window(measured: float, low: float, high: float) -> None:
    # A repaired member's first probe may already be under way, hence the small allowance below.
    assert low - 0.05 <= measured <= high + max(LATE, 0.25), f"{measured:.2f} s, not {low}..{high}"


def test_T9_2_a_new_healthy_member_serves_within_1_2_s(make, backend):
    service = make(backend(), delay=50, timeout=5)
    added = now()
    with service.client() as client:
        wait_until(lambda: client.get().status == 200, 10)
    assert now() - added <= 1.2 + LATE


def test_T9_2_a_member_not_yet_probed_is_50001(make, backend):
    member = backend()
    member.probe_mode = modes.hang()
    service = make(member, delay=50, timeout=50)
    assert status_of(service) == OFFLINE and reason_of(service) is None
    answer = service.get()
    assert (answer.status, answer.get("x-router-code")) == (503, "50001")
    assert member.requests == []


def test_T9_3_after_a_first_failure_three_successes_are_needed(make, backend):
    member = backend()
    member.probe_mode = modes.status(500)
    service = make(member, delay=1, timeout=1, max_retries=3)
    wait_until(lambda: member.probes and reason_of(service), 5, "the first failure")
    assert status_of(service) == OFFLINE
    # Success, success, failure starts the count again; then three successes.
    member.clear()
    good, bad = modes.ok(), modes.status(500)
    member.probe_mode = modes.sequence(good, good, bad, good, good, good)
    wait_for_status(service, ONLINE, 20)
    assert len(member.probes) >= 6
    assert len(member.probes) <= 7


def test_T9_3_a_success_resets_the_count_of_failures(make, backend):
    member = backend()
    service = make(member, delay=1, timeout=1, max_retries_down=3)
    wait_for_status(service, ONLINE, 5)
    member.clear()
    good, bad = modes.ok(), modes.status(500)
    member.probe_mode = modes.sequence(bad, bad, good, bad, bad, bad)
    wait_for_status(service, OFFLINE, 20)
    assert 6 <= len(member.probes) <= 7


def test_T9_4_expected_codes(make, backend):
    cases = {204: ONLINE, 301: ONLINE, 302: OFFLINE, 200: ONLINE, 205: OFFLINE}
    members = [backend(mode=modes.status(code)) for code in cases]
    service = make(*members, expected_codes="200-204,301")
    for index, (code, wanted) in enumerate(cases.items()):
        wait_until(lambda: members[index].probes, 5)
        wait_for_status(service, wanted, 5, index)
    for index, code in enumerate(cases):
        if cases[code] == OFFLINE:
            reason = wait_until(lambda: reason_of(service, index), 5)
            assert reason["reason_code"] == "RESPONSE_MISMATCH"
            assert reason["healthcheck_response"] == str(code)
            assert reason["expected_response"] == "200-204,301"


def test_T9_5_what_a_probe_looks_like(make, backend):
    member, other = backend(), backend()
    make(member, domain_name="www.elb.com", url_path="/check", http_method="HEAD")
    plain = make(other)
    member.wait(lambda: member.probes, 5)
    other.wait(lambda: other.probes, 5)
    probe = member.probes[0]
    assert probe.head.start == "HEAD /check HTTP/1.1"
    assert probe.get_all("host") == ["www.elb.com"]
    assert probe.get("user-agent") == PROBE_AGENT
    assert (probe.get("accept"), probe.get("connection").lower()) == ("*/*", "close")
    assert other.probes[0].head.start == "GET / HTTP/1.1"
    assert other.probes[0].get_all("host") == [plain.address]


def test_T9_5_probes_go_to_the_monitors_port(make, backend):
    member, checked = backend(), backend()
    service = make(member, monitor_port=checked.port)
    wait_for_status(service, ONLINE, 5)
    checked.wait(lambda: len(checked.probes) >= 2, 5)
    assert member.connections == []
    assert service.get().json()["id"] == member.name
    checked.set(modes.refuse)
    wait_for_status(service, OFFLINE, 10)


FAULTS = {
    "CONNECT_TIMEOUT": modes.blackhole,
    "CONNECT_REFUSED": modes.refuse,
    "CONNECT_INTERRUPT": modes.close(),
    "RECV_RESPONSE_FAILED": modes.raw(b"HTTP/1.1 200 O", "cut"),
    "RECV_RESPONSE_TIMEOUT": modes.hang(),
    "RESPONSE_FORMAT_ERROR": modes.junk(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "RESPONSE_MISMATCH": modes.status(503),
}


def test_T9_6_each_fault_has_its_reason_code(api, make, backend):
    members = []
    for name, mode in FAULTS.items():
        members.append(backend(name))
        members[-1].set(mode)
    service = make(*members)
    nowhere = api.create("member", service.pool["id"], address="127.255.255.255", protocol_port=80)
    service.members.append(nowhere)

    def codes() -> list[str | None]:
        reasons = [reason_of(service, index) for index in range(len(service.members))]
        return [reason and reason["reason_code"] for reason in reasons]

    wait_until(lambda: all(codes()), 10, "a reason for every member")
    assert codes() == [*FAULTS, "CONNECT_FAILED"]
    assert {status_of(service, index) for index in range(len(members))} == {OFFLINE}


def test_T9_6_a_failed_tls_handshake_has_its_reason_code(make, backend):
    member = backend(mode=modes.accept_then_send(b"this is not TLS\r\n"))
    service = make(member, type="HTTPS")
    wait_until(lambda: reason_of(service), 10)
    assert reason_of(service)["reason_code"] == "SSL_HANDSHAKE_ERROR"


def test_T9_6_https_probes_accept_any_certificate(make, backend):
    secure = backend(tls=certs.server_context(certs.expired("other.test")))
    service = make(secure, type="HTTPS", domain_name="name.test", pool={"protocol": "HTTP"})
    wait_for_status(service, ONLINE, 10)
    assert secure.connections[0].sni == "name.test"


def test_T9_6_a_tcp_probe_sends_nothing(make, backend):
    member = backend()
    service = make(member, type="TCP")
    wait_for_status(service, ONLINE, 5)
    assert member.recorded == []


@pytest.mark.slow
def test_T9_7_one_probe_per_delay_however_many_workers(own_daemon, backend):
    running = own_daemon(workers=4)
    api, member = running.api(), backend()
    service = api.make_service(api.make_lb(), [member])
    api.add_monitor(service.pool["id"], delay=1)
    member.wait(lambda: len(member.probes) >= 6, 15)
    moments = [probe.at for probe in member.probes]
    gaps = [later - earlier for earlier, later in zip(moments, moments[1:])]
    assert all(0.99 <= gap <= 1.0 + LATE for gap in gaps), gaps


def test_9_3_no_monitor_means_eligible_and_a_new_monitor_does_not_interrupt(api, lb, backend):
    member = backend()
    member.probe_mode = modes.slow(0.5, modes.ok())
    service = api.make_service(lb, [member])
    assert status_of(service) == NO_MONITOR
    api.add_monitor(service.pool["id"], timeout=5)
    assert status_of(service) == NO_MONITOR
    assert service.get().status == 200
    wait_for_status(service, ONLINE, 10)


def test_9_3_a_monitor_switched_off_makes_members_eligible(api, make, backend):
    member = backend()
    member.probe_mode = modes.status(500)
    service = make(member)
    wait_until(lambda: reason_of(service), 5)
    assert service.get().status == 503
    monitor = api.show("pool", service.pool["id"])["healthmonitor_id"]
    api.update("healthmonitor", monitor, admin_state_up=False)
    assert status_of(service) == NO_MONITOR
    assert service.get().status == 200


def test_T9_8_all_offline_is_503_at_once_and_asks_nobody(make, backend):
    members = [backend(), backend()]
    for member in members:
        member.probe_mode = modes.status(500)
    service = make(*members)
    for index in range(2):
        wait_until(lambda: reason_of(service, index), 5)
    before = now()
    answer = service.get()
    assert (answer.status, answer.get("x-router-code")) == (503, "50000")
    assert now() - before <= 0.1 + LATE
    assert [member.requests for member in members] == [[], []]


def test_9_5_an_offline_member_gets_no_request(make, backend):
    members = [backend(), backend()]
    service = make(*members)
    for index in range(2):
        wait_for_status(service, ONLINE, 5, index)
    members[0].probe_mode = modes.status(500)
    wait_for_status(service, OFFLINE, 10)
    names = {service.get().json()["id"] for _ in range(10)}
    assert names == {members[1].name}


def test_T9_10_states_survive_a_kill(own_daemon, backend):
    """After kill -9 the first request never meets the OFFLINE member, and no 503."""
    running = own_daemon()
    api = running.api()
    members = [backend() for _ in range(3)]
    members[0].probe_mode = modes.status(500)
    service = api.make_service(api.make_lb(), [])
    api.add_monitor(service.pool["id"])
    service.backends = members
    service.members = [api.add_member(service.pool["id"], member) for member in members]
    for index, wanted in enumerate([OFFLINE, ONLINE, ONLINE]):
        wait_until(lambda: members[index].probes, 5)
        wait_for_status(service, wanted, 10, index)
    wait_until(lambda: reason_of(service), 5)
    random_wait(1.5)  # Member states are written behind.
    running.kill()
    running.start()
    answers = [service.get() for _ in range(6)]
    assert [answer.status for answer in answers] == [200] * 6
    assert members[0].requests == []
