"""Sticky sessions (data-plane.md 7, 5.6): the load balancer's cookie."""

from __future__ import annotations

import itertools
import re

import pytest

from conformance.fronts import FRONTS, Asker, Jar, Reply, ask, ask_with, make_front
from rig import modes
from rig.timing import LATE, check_duration, now, wait_until

TIMEOUTS = {"member_timeout": 1, "client_timeout": 2, "keepalive_timeout": 60}
COOKIE = {"type": "HTTP_COOKIE", "persistence_timeout": 20}
NAME = re.compile(r"ELBSTICKY_[0-9a-f]{8}")
VALUE = re.compile(r"[A-Za-z0-9_-]{48}")


@pytest.fixture
def make(api, lb, backend, certificate):
    """`make(front, mode, …)`: a sticky service with a member for each mode."""
    ports = itertools.count(20001)

    def build(front: str, *scripted, sticky=COOKIE, **more):
        members = [backend() for _ in scripted]
        service = make_front(api, lb, members, front, certificate, port=next(ports),
                             pool={"session_persistence": sticky}, **{**TIMEOUTS, **more})
        for member, mode in zip(members, scripted):
            member.set(mode)
        return service

    return build


def name_of(reply: Reply) -> str:
    """Which member answered."""
    assert reply.status == 200, reply
    return reply.json()["id"]


def sticky_cookie(reply: Reply) -> tuple[str, str] | None:
    """Name and value of the load balancer's cookie in this answer."""
    lines = [c for c in reply.get_all("set-cookie") if c.startswith("ELBSTICKY")]
    assert len(lines) <= 1, lines
    if not lines:
        return None
    name, _, value = lines[0].split(";")[0].partition("=")
    return name, value


def bind_to(service, front: str, index: int) -> Jar:
    """A jar whose cookie leads to the member `index`."""
    wanted = service.backends[index].name
    for _ in range(2 * len(service.backends)):
        jar = Jar()
        with Asker(service, front) as asker:
            if name_of(ask_with(asker, jar)) == wanted:
                assert jar.cookies, "no cookie was set"
                return jar
    raise AssertionError(f"no request reached {wanted}")


@pytest.mark.parametrize("front", FRONTS)
def test_T7_1_a_session_stays_and_others_rotate_undisturbed(make, front):
    """100 requests with a jar: one server; 90 others in between: 30/30/30."""
    service = make(front, *[modes.ok()] * 3)
    jar, with_jar, without = Jar(), [], []
    with Asker(service, front) as sticky, Asker(service, front) as other:
        first = name_of(ask_with(sticky, jar))
        for number in range(100):
            with_jar.append(name_of(ask_with(sticky, jar)))
            if number < 90:
                without.append(name_of(other.ask()))
    assert set(with_jar) == {first}
    assert sorted(without.count(member.name) for member in service.backends) == [30, 30, 30]


def flips(value: str) -> list[str]:
    """The value with each of its characters changed in turn."""
    return [value[:i] + ("B" if letter == "A" else "A") + value[i + 1 :]
            for i, letter in enumerate(value)]


@pytest.mark.parametrize("front", FRONTS)
def test_T7_2_a_tampered_cookie_is_no_cookie(make, front):
    service = make(front, modes.ok(), modes.ok())
    jar = bind_to(service, front, 0)
    ((name, value),) = jar.cookies.items()
    assert NAME.fullmatch(name) and VALUE.fullmatch(value), (name, value)
    seen = []
    with Asker(service, front) as asker:
        for changed in flips(value):
            reply = asker.ask(fields=[("Cookie", f"{name}={changed}")])
            seen.append(name_of(reply))
            fresh = sticky_cookie(reply)
            assert fresh and fresh[0] == name and VALUE.fullmatch(fresh[1]), changed
    counts = [seen.count(member.name) for member in service.backends]
    assert counts == [24, 24], "a tampered cookie was followed"


@pytest.mark.parametrize("front", FRONTS)
def test_T7_2_a_cookie_of_another_pool_is_ignored(make, front):
    first, second = (make(front, modes.ok(), modes.ok()) for _ in range(2))
    jar = bind_to(first, front, 0)
    ((_, value),) = jar.cookies.items()
    (other_name,) = bind_to(second, front, 0).cookies
    assert other_name not in jar.cookies, "two pools share a cookie name"
    for name in (*jar.cookies, other_name):
        replies = [ask(second, front, fields=[("Cookie", f"{name}={value}")]) for _ in range(6)]
        names = [name_of(reply) for reply in replies]
        assert sorted(names.count(m.name) for m in second.backends) == [3, 3], name
        assert all(sticky_cookie(reply) for reply in replies), name


@pytest.mark.parametrize("front", FRONTS)
def test_T7_3_the_attributes_of_the_cookie(make, front):
    service = make(front, modes.ok())
    ours = [c for c in ask(service, front).get_all("set-cookie") if c.startswith("ELBSTICKY")]
    tail = "" if front == "http" else "; Secure; SameSite=None"
    wanted = rf"ELBSTICKY_[0-9a-f]{{8}}=[\w-]{{48}}; Path=/; Max-Age=1200; HttpOnly{tail}"
    assert len(ours) == 1 and re.fullmatch(wanted, ours[0]), ours


def offline(api, service, index: int) -> None:
    service.backends[index].set(modes.refuse)

    def seen() -> bool:
        return service.member_status(index)["operating_status"] == "OFFLINE"

    wait_until(seen, 10, "OFFLINE")


LOSSES = {
    "offline": offline,
    "weight_0": lambda api, service, index: service.set_weight(index, 0),
    "removed": lambda api, service, index: api.delete(
        "member", service.members[index]["id"], service.pool["id"]
    ),
}


@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_T7_5_a_lost_member_is_replaced_for_good(api, make, front, loss):
    service = make(front, *[modes.ok()] * 3)
    if loss == "offline":
        api.add_monitor(service.pool["id"])
    jar = bind_to(service, front, 0)
    LOSSES[loss](api, service, 0)
    with Asker(service, front) as asker:
        reply = ask_with(asker, jar)
        second = name_of(reply)
        assert second != service.backends[0].name and sticky_cookie(reply)
        bring_back(api, service, loss)
        names = {name_of(ask_with(asker, jar)) for _ in range(10)}
    assert names == {second}, "the client was pulled back"


def bring_back(api, service, loss: str) -> None:
    if loss == "weight_0":
        service.set_weight(0, 1)
    elif loss == "removed":
        service.members[0] = api.add_member(service.pool["id"], service.backends[0])
    else:
        service.backends[0].set(modes.ok())
        wait_until(lambda: service.member_status(0)["operating_status"] == "ONLINE", 10, "ONLINE")


@pytest.mark.parametrize("front", FRONTS)
def test_T7_6_the_backend_sees_other_cookies_only(make, front):
    service = make(front, modes.ok(fields=[("Set-Cookie", "app=1; Path=/x")]))
    jar = bind_to(service, front, 0)
    ((name, value),) = [item for item in jar.cookies.items() if item[0].startswith("ELBSTICKY")]
    member = service.backends[0]
    member.clear()
    reply = ask(service, front, fields=[("Cookie", f"a=1; {name}={value}; b=2; c=\"3 4\"")])
    assert member.requests[0].get_all("cookie") == ['a=1; b=2; c="3 4"']
    assert "app=1; Path=/x" in reply.get_all("set-cookie")
    ask(service, front, fields=[("Cookie", f"{name}={value}")])
    assert member.requests[1].get_all("cookie") == []


@pytest.mark.parametrize("front", FRONTS)
def test_T7_6_a_backend_cannot_set_our_cookie(make, front):
    service = make(front, modes.ok())
    jar = bind_to(service, front, 0)
    ((name, value),) = jar.cookies.items()
    service.backends[0].set(modes.ok(fields=[("Set-Cookie", f"{name}=forged"),
                                             ("Set-Cookie", "kept=1")]))
    reply = ask(service, front, fields=[("Cookie", f"{name}={value}")])
    assert reply.get_all("set-cookie") == ["kept=1"]


@pytest.mark.parametrize("front", ["http", "h2"])
def test_7_2_no_cookie_on_publicly_cacheable_answers(make, front):
    for control in ("public, max-age=60", "s-maxage=5"):
        service = make(front, modes.ok(fields=[("Cache-Control", control)]))
        assert sticky_cookie(ask(service, front)) is None, control


def test_T7_7_a_restart_keeps_sessions(own_daemon, backend):
    running = own_daemon()
    api = running.api()
    service = api.make_service(api.make_lb(), [backend() for _ in range(3)],
                               pool={"session_persistence": COOKIE})
    jars = [bind_to(service, "http", index) for index in range(3)]
    for again in (running.restart, lambda: (running.kill(), running.start())):
        again()
        for index, jar in enumerate(jars):
            for _ in range(4):
                reply = ask(service, "http", fields=jar.fields())
                assert name_of(reply) == service.backends[index].name
                assert sticky_cookie(reply) is None, "a valid fresh cookie was replaced"


def timed(service, front: str, jar: Jar) -> tuple[Reply, float]:
    with Asker(service, front) as asker:
        asker.connect()
        before = now()
        reply = ask_with(asker, jar, "/timed")
        return reply, now() - before


@pytest.mark.parametrize("front", FRONTS)
def test_T5_6_a_sticky_response_timeout_is_504_at_once(make, front):
    service = make(front, modes.ok(), modes.ok())
    jar = bind_to(service, front, 0)
    service.backends[0].set(modes.hang())
    reply, seconds = timed(service, front, jar)
    assert reply.status == 504
    check_duration(seconds, 1.0)
    assert service.counts(["/timed"]) == [1, 0]


@pytest.mark.parametrize("front", FRONTS)
def test_T5_6_the_first_request_of_a_session_is_504_at_once_too(make, front):
    """Without a cookie, when the algorithm picks the hung member."""
    service = make(front, modes.hang(), modes.ok())
    results = [timed(service, front, Jar()) for _ in range(2)]
    statuses = [reply.status for reply, _ in results]
    assert sorted(statuses) == [200, 504]
    check_duration(results[statuses.index(504)][1], 1.0)
    assert results[statuses.index(200)][1] <= LATE
    assert service.counts(["/timed"]) == [1, 1]


@pytest.mark.parametrize("front", FRONTS)
def test_T5_6_a_refusing_sticky_member_is_replaced(make, front):
    service = make(front, modes.ok(), modes.ok())
    jar = bind_to(service, front, 0)
    before = dict(jar.cookies)
    service.backends[0].set(modes.refuse)
    with Asker(service, front) as asker:
        reply = ask_with(asker, jar)
        assert name_of(reply) == service.backends[1].name
        assert sticky_cookie(reply) and jar.cookies != before
        service.backends[0].set(modes.ok())
        assert name_of(ask_with(asker, jar)) == service.backends[1].name
