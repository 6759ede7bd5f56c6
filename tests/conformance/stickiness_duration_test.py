"""How long a session lasts (data-plane.md 7.2). The shortest duration is a minute, so this file
takes more than that; `ELB_FULL=1` keeps the session up for three minutes."""

from __future__ import annotations

import threading

import pytest

from conformance.fronts import Asker, Jar, ask_with, make_front
from rig import modes
from rig.parallel import concurrently
from rig.timing import FULL, now

ROUNDS = 9 if FULL else 4  # One each 20 s: beyond the minute in either case.
PAUSE = 70.0


def pass_time(until: float) -> None:
    """The subject is the passing of time itself."""
    threading.Event().wait(max(0.0, until - now()))


def name_of(reply) -> str:
    assert reply.status == 200
    return reply.json()["id"]


def start_session(service, front: str) -> tuple[Jar, str]:
    jar = Jar()
    with Asker(service, front) as asker:
        name = name_of(ask_with(asker, jar))
    assert jar.cookies, "no cookie was set"
    return jar, name


def stays_while_used(service, front: str) -> None:
    begun = now()
    jar, name = start_session(service, front)
    for turn in range(1, ROUNDS + 1):
        pass_time(begun + 20.0 * turn)
        with Asker(service, front) as asker:
            assert name_of(ask_with(asker, jar)) == name, f"after {20 * turn} s"


def ends_when_unused(service, front: str) -> None:
    """A stale cookie is treated as absent: round robin decides, and a new one is set."""
    begun = now()
    jar, _ = start_session(service, front)
    pass_time(begun + PAUSE)
    names = []
    with Asker(service, front) as asker:
        for _ in range(4):
            reply = asker.ask(fields=jar.fields())
            names.append(name_of(reply))
            assert any(c.startswith("ELBSTICKY") for c in reply.get_all("set-cookie")), names
    assert sorted(names.count(member.name) for member in service.backends) == [2, 2]


@pytest.mark.slow
def test_T7_4_a_session_ends_a_minute_after_its_last_request(api, lb, backend, certificate):
    cookie = {"type": "HTTP_COOKIE", "persistence_timeout": 1}
    cases = []
    for number, front in enumerate(("http", "h2")):
        for action in (stays_while_used, ends_when_unused):
            members = [backend(mode=modes.ok()) for _ in range(2)]
            service = make_front(api, lb, members, front, certificate, port=7000 + len(cases),
                                 pool={"session_persistence": cookie})
            cases.append((action, service, front))
    concurrently(*[lambda case=case: case[0](case[1], case[2]) for case in cases])
