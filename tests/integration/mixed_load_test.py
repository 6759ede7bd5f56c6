"""Everything at once, for a while: HTTP/1, HTTP/2, WebSocket and uploads, while members stop, pause,
reset and come back and the configuration changes ten times a second. Each answer carries what its
request asked for, so that a mixed-up one shows (data-plane.md 5.6, 13)."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import random
import ssl
import threading
from collections import Counter
from pathlib import Path

import pytest
import websockets

from rig import http1, modes
from rig.h2client import H2Client
from rig.clients import RawClient
from rig.observe import resident_kib
from rig.parallel import concurrently
from rig.timing import FULL, now

SECONDS = 600 if FULL else 12
CHANGES_PER_SECOND = 10
MEMBER_TIMEOUT = 2  # Longer than the steady member may lack a core on a busy machine.
KIB_PER_MIB = 1024
MISHAPS = {502, 504}  # What a POST may get whose member failed after it had the request.


class Tally:
    """What clients saw; any thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.seen: Counter = Counter()
        self.wrong: list[str] = []
        self.posts: dict[str, int] = {}

    def note(self, kind: str, problem: str | None = None) -> None:
        with self.lock:
            self.seen[kind] += 1
            if problem:
                self.wrong.append(f"{kind}: {problem}")

    def posted(self, target: str, status: int) -> None:
        with self.lock:
            self.posts[target] = status


class Site:
    """A listener with two members that suffer and one that never does."""

    def __init__(self, running, certificates, backend):
        self.running, self.api = running, running.api()
        self.certificates = certificates
        self.gate = threading.Event()
        self.steady, *self.unsteady = [backend() for _ in range(3)]
        self.lb = self.api.make_lb()
        self.certificate = self.api.make_certificate(certificates["ec"])
        self.service = self.api.make_service(
            self.lb, [self.steady, *self.unsteady], port=8443, certificate=self.certificate,
            http2_enable=True, member_timeout=MEMBER_TIMEOUT, keepalive_timeout=60)  # fmt: skip
        self.api.add_monitor(self.service.pool["id"], delay=1, timeout=5, max_retries=3)
        self.group = self.api.create("ipgroup", ip_list=[{"ip": "127.0.0.0/8"}])
        self.sockets = self.api.make_service(
            self.lb, [backend(mode=modes.websocket_echo())], port=8444,
            certificate=self.certificate)  # fmt: skip

    @property
    def members(self):
        return [self.steady, *self.unsteady]

    def processed(self) -> Counter:
        """How often members got each POST."""
        return Counter(request.target for member in self.members
                       for request in list(member.recorded) if request.method == "POST")  # fmt: skip


def check_echo(tally: Tally, kind: str, target: str, status: int, body: dict | None) -> None:
    if status != 200:
        tally.note(kind, f"{status} for {target}")
    elif body is None or body["target"] != target:
        tally.note(kind, f"asked for {target}, got {body}")
    else:
        tally.note(kind)


def http1_gets(site: Site, tally: Tally, until: float, name: str) -> None:
    numbers = itertools.count()
    while now() < until:
        with RawClient(site.service.address, site.service.port, tls=True) as client:
            for number in itertools.islice(numbers, 50):
                if now() >= until:
                    return
                target = f"/{name}-{number}"
                reply = client.get(target)
                check_echo(tally, "HTTP/1 GET", target, reply.status,
                           reply.json() if reply.status == 200 else None)
                if not reply.complete or reply.head.get("connection") == "close":
                    break


def http1_uploads(site: Site, tally: Tally, until: float, name: str) -> None:
    for number in itertools.count():
        if now() >= until:
            return
        target, content = f"/{name}-{number}", os.urandom(random.randrange(1, 200_000))
        with RawClient(site.service.address, site.service.port, tls=True) as client:
            reply = client.exchange(http1.request(target, method="POST", body=content), "POST")
        judge_post(tally, "HTTP/1 POST", target, content, reply.status,
                   reply.json() if reply.status == 200 else None)


def judge_post(tally: Tally, kind: str, target: str, content: bytes, status: int,
               body: dict | None) -> None:
    tally.posted(target, status)
    if status in MISHAPS:
        tally.note(f"{kind} {status}")
        return
    check_echo(tally, kind, target, status, body)
    if body is not None and body["body_sha256"] != hashlib.sha256(content).hexdigest():
        tally.note(kind, f"{target}: other content arrived")


def http2_mix(site: Site, tally: Tally, until: float, name: str) -> None:
    """Eight streams at a time on one connection, every fourth an upload."""
    numbers = itertools.count()
    while now() < until:
        with H2Client(site.service.address, site.service.port) as client:
            for _ in range(20):
                if now() >= until:
                    return
                wanted = {}
                for number in itertools.islice(numbers, 8):
                    target, content = f"/{name}-{number}", None
                    if number % 4 == 3:
                        content = os.urandom(random.randrange(1, 30_000))
                        stream = client.send_request(target, method="POST", end=False)
                        client.upload(stream, content)
                    else:
                        stream = client.send_request(target)
                    wanted[stream] = (target, content)
                client.wait_for(*wanted)
                for stream, (target, content) in wanted.items():
                    answer = client.streams[stream]
                    body = answer.json() if answer.status == 200 else None
                    if content is None:
                        check_echo(tally, "HTTP/2 GET", target, answer.status, body)
                    else:
                        judge_post(tally, "HTTP/2 POST", target, content, answer.status, body)


def web_socket(site: Site, tally: Tally, until: float, name: str) -> None:
    async def talk() -> None:
        place = f"wss://{site.sockets.address}:{site.sockets.port}/{name}"
        async with websockets.connect(place, ssl=ssl._create_unverified_context(),
                                      compression=None, ping_interval=None) as socket:
            for number in itertools.count():
                if now() >= until:
                    return
                sent = f"{name} {number} " + "x" * random.randrange(2000)
                await socket.send(sent)
                got = await asyncio.wait_for(socket.recv(), 20)
                tally.note("WebSocket", None if got == sent else f"sent {sent!r}, got {got!r}")
                await asyncio.sleep(0.01)

    asyncio.run(talk())


def disturb(site: Site, tally: Tally, until: float) -> None:
    """Stops, pauses, resets or restarts one of the two members, again and again."""
    dice = random.Random(1)
    pause = threading.Event()
    while now() < until:
        member = dice.choice(site.unsteady)
        kind = dice.choice(["stop", "pause", "reset", "restart"])
        if kind == "stop":
            member.set(modes.refuse)
        elif kind == "pause":
            member.set(modes.held(site.gate))
        elif kind == "reset":
            member.set(modes.rst())
        else:
            member.set(modes.ok())
        tally.note(f"member: {kind}")
        pause.wait(dice.uniform(0.2, 1.5))
    site.gate.set()
    for member in site.unsteady:
        member.set(modes.ok())


def reconfigure(site: Site, tally: Tally, until: float) -> None:
    """Ten changes a second that must not be noticed by anybody."""
    dice, service, api = random.Random(2), site.service, site.api
    pause = threading.Event()

    def reweigh() -> None:
        service.set_weight(dice.randrange(3), dice.randrange(1, 100))

    def replace_certificate() -> None:
        issued = site.certificates[dice.choice(["ec", "rsa"])]
        api.update("certificate", site.certificate["id"], certificate=issued.chain_pem,
                   private_key=issued.key_pem)

    def toggle_header() -> None:
        service.update_listener(insert_headers={"X-Forwarded-ELB-ID": dice.random() < 0.5})

    def edit_access() -> None:
        api.update("ipgroup", site.group["id"], ip_list=[
            {"ip": "127.0.0.0/8"}, {"ip": f"10.0.0.{dice.randrange(255)}"}])
        service.update_listener(ipgroup={"ipgroup_id": site.group["id"], "type": "white"})

    def come_and_go() -> None:
        made = api.create("listener", loadbalancer_id=site.lb["id"], protocol="HTTP",
                          protocol_port=9000 + dice.randrange(500))
        api.delete("listener", made["id"])

    def change_algorithm() -> None:
        api.update("pool", service.pool["id"],
                   lb_algorithm=dice.choice(["ROUND_ROBIN", "LEAST_CONNECTIONS"]))

    changes = [reweigh, replace_certificate, toggle_header, edit_access, come_and_go,
               change_algorithm]  # fmt: skip
    due = now()
    while now() < until:
        dice.choice(changes)()
        tally.note("change")
        due += 1 / CHANGES_PER_SECOND
        pause.wait(max(0.0, due - now()))


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def load(site: Site, tally: Tally, seconds: float) -> None:
    until = now() + seconds
    turn = next(_turns)
    clients = [(http1_gets, "g1"), (http1_gets, "g2"), (http1_uploads, "u"), (http2_mix, "m"),
               (web_socket, "w")]  # fmt: skip
    concurrently(
        *[lambda work=work, name=name: work(site, tally, until, f"{name}{turn}")
          for work, name in clients],
        lambda: disturb(site, tally, until), lambda: reconfigure(site, tally, until),
    )  # fmt: skip


_turns = itertools.count()


@pytest.mark.slow
def test_mixed_load_with_failing_members_and_changes(own_daemon, server_certificates, backend):
    """10 minutes with ELB_FULL=1. No wrong answer, no lost or doubled POST, no failed GET while one
    member answers; descriptors and memory flat."""
    running = own_daemon(release=True)
    site = Site(running, server_certificates, backend)
    tally = Tally()
    load(site, tally, SECONDS / 6)  # Pools, caches and arenas find their size.
    files, memory = descriptors(running.pid), resident_kib(running.pid)
    load(site, tally, SECONDS)
    grown = resident_kib(running.pid) - memory
    print(dict(tally.seen), f"memory {memory} KiB, grown by {grown} KiB")
    assert not tally.wrong, Counter(tally.wrong).most_common(20)
    processed = site.processed()
    doubled = {target: count for target, count in processed.items() if count > 1}
    assert not doubled
    lost = [target for target, status in tally.posts.items()
            if status == 200 and processed[target] != 1]  # fmt: skip
    assert not lost
    for kind in ("HTTP/1 GET", "HTTP/1 POST", "HTTP/2 GET", "HTTP/2 POST", "WebSocket", "change"):
        assert tally.seen[kind] > 0, tally.seen
    assert descriptors(running.pid) <= files + 40
    assert grown <= (96 if running.sanitized else 8) * KIB_PER_MIB
