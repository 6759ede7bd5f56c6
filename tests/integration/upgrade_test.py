"""A new process takes the place of the one that serves, and nobody notices (data-plane.md 13)."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import threading

import pytest
import websockets

from rig import modes
from rig.clients import RawClient
from rig.load import NginxMember, Wrk
from rig.timing import FULL, now, wait_until

LEAVES_WITHIN = 61  # Seconds, with a connection that never ends.
LOOKS_FOR_LEAKS = 15  # Seconds that an end may take longer under sanitizers on a busy machine.
CONNECTIONS = 64
UPGRADES = 5 if FULL else 2


@pytest.fixture
def running(own_daemon):
    return own_daemon()


def make_service(running, server_certificates, members, **more):
    api = running.api()
    certificate = api.make_certificate(server_certificates["ec"])
    return api.make_service(api.make_lb(), members, port=8443, certificate=certificate, **more)


def leave(old: subprocess.Popen, seconds: float = LEAVES_WITHIN) -> None:
    assert old.wait(seconds + LOOKS_FOR_LEAKS) == 0


@pytest.mark.slow
def test_T13_4_upgrades_under_load_fail_no_request(own_daemon, server_certificates):
    """wrk on 64 keep-alive connections: as fast as it goes, which is over 5,000 requests a second
    with a release build."""
    running = own_daemon(release=True)
    with NginxMember("A") as member:
        service = make_service(running, server_certificates, [member])
        load, begun = Wrk(service.origin, CONNECTIONS), now()
        try:
            for _ in range(UPGRADES):
                leave(running.take_over())
                wait_until(lambda: running.metrics().total("elb_m4_ncps") >= CONNECTIONS, 20)
        finally:
            result, seconds = load.stop(), now() - begun
    assert (result.failed, result.socket_errors) == (0, 0), result.text
    print(f"{result.requests / seconds:.0f} requests a second")
    assert result.requests > 1000, result.text


def test_T13_4_what_is_on_its_way_ends_in_the_old_process(running, server_certificates, backend):
    """An answer, an HTTP/2 stream and a WebSocket that began before."""
    gate = threading.Event()
    member = backend(mode=modes.held(gate))
    service = make_service(running, server_certificates, [member], http2_enable=True)
    with RawClient(service.address, service.port, tls=True) as slow, service.h2() as client:
        slow.send(b"GET /slow HTTP/1.1\r\nHost: a.test\r\n\r\n")
        stream = client.send_request("/stream")
        member.wait_for_requests(2)

        old = running.take_over()

        assert old.poll() is None
        gate.set()
        reply = slow.read_response()
        assert (reply.status, reply.head.get("connection")) == (200, "close")
        assert client.wait_for(stream).status == 200
        assert client.read_until_end().orderly
    leave(old, 20)


def test_T13_4_an_idle_connection_gets_one_more_answer(running, server_certificates, backend):
    service = make_service(running, server_certificates, [backend()])
    with RawClient(service.address, service.port, tls=True) as client:
        assert client.get("/before").keeps
        old = running.take_over()
        reply = client.get("/after")
        assert (reply.status, reply.head.get("connection")) == (200, "close")
        assert client.expect_end().orderly
    leave(old, 5)


def test_T13_4_an_idle_connection_does_not_hold_the_old_process(running, server_certificates,
                                                                backend):
    service = make_service(running, server_certificates, [backend()])
    with RawClient(service.address, service.port, tls=True) as client:
        assert client.get("/before").keeps
        old, begun = running.take_over(), now()
        assert client.expect_end().orderly
        assert now() - begun > 5
        leave(old, 5)


@pytest.mark.slow
def test_T13_4_a_websocket_holds_the_old_process_a_minute_at_most(running, server_certificates,
                                                                  backend):
    service = make_service(running, server_certificates, [backend(mode=modes.websocket_echo())])

    async def talk() -> float:
        context = ssl._create_unverified_context()
        async with websockets.connect(f"wss://{service.address}:{service.port}/", ssl=context,
                                      ping_interval=None) as socket:
            old, begun = await asyncio.to_thread(running.take_over), now()
            while old.poll() is None:
                try:
                    await socket.send("still here?")
                    assert await socket.recv() == "still here?"
                except websockets.ConnectionClosed:
                    break
                await asyncio.sleep(0.2)
            await asyncio.to_thread(leave, old, 5)
            return now() - begun

    late = LOOKS_FOR_LEAKS if running.sanitized else 0
    assert 55 < asyncio.run(talk()) <= LEAVES_WITHIN + late


def test_the_api_answers_throughout(running):
    """Calls that arrive while nobody accepts wait; none is refused or cut, none is lost."""
    api, stop, made = running.api(), threading.Event(), []

    def create() -> None:
        while not stop.is_set():
            made.append(api.create("ipgroup", ip_list=[{"ip": "10.0.0.1"}])["id"])
            api.delete("ipgroup", made[-1])

    port = running.api_port
    writer = threading.Thread(target=create)
    writer.start()
    try:
        wait_until(lambda: len(made) > 5, 20)
        old = running.take_over()
        seen = len(made)
        wait_until(lambda: len(made) > seen + 5, 20)
    finally:
        stop.set()
        writer.join()
    assert running.api_port == port
    leave(old)


def test_keys_and_health_go_over(running, server_certificates, backend):
    """A session resumes, a sticky client stays, and no member starts as unknown."""
    first, second = backend(), backend()
    service = make_service(running, server_certificates, [first, second], pool={
        "session_persistence": {"type": "HTTP_COOKIE"}})
    api = running.api()
    api.add_monitor(service.pool["id"])
    for number in (0, 1):
        wait_until(lambda: service.member_status(number)["operating_status"] == "ONLINE", 20)
    with RawClient(service.address, service.port, tls=True) as client:
        reply = client.get("/")
        name, cookie = reply.json()["id"], reply.head.get("set-cookie").partition(";")[0]
        session = client.session

    leave(running.take_over())

    with RawClient(service.address, service.port, tls=True, session=session) as client:
        assert client.tls.resumed
        for _ in range(4):
            fields = [("Cookie", cookie)]
            assert client.get("/", fields=fields).json()["id"] == name
    assert service.get("/").status == 200


def test_more_and_fewer_workers_lose_no_connection(running, server_certificates, backend):
    """Connections that wait on a socket whose worker is gone are accepted by another."""
    service = make_service(running, server_certificates, [backend()])
    for workers in (1, 3):
        running.workers = workers
        old = running.take_over()
        for _ in range(30):
            assert service.get("/").status == 200
        leave(old)
        for _ in range(30):
            assert service.get("/").status == 200


def test_a_successor_that_fails_changes_nothing(running, server_certificates, backend):
    service = make_service(running, server_certificates, [backend()])
    good, running.config = running.config, {"api": {"address": "192.0.2.1", "port": 9}}
    with RawClient(service.address, service.port, tls=True) as client:
        assert client.get("/").status == 200
        failing = running.start_successor()
        assert failing.wait(60) == 1
        wait_until(lambda: "successor_failed" in running.log_text, 20)
        assert client.get("/").keeps
    assert running.get("/readyz").status_code == 200
    running.api().create("ipgroup", ip_list=[])
    running.config = good
    leave(running.take_over())
    assert service.get("/").status == 200


def test_a_successor_with_a_bad_configuration_is_not_noticed(running):
    before = running.log_text
    running.config = {"api": {"port": "many"}}
    failing = running.start_successor()
    assert failing.wait(60) == 1
    assert "handing_over" not in running.log_text[len(before):]
    assert running.get("/readyz").status_code == 200
    running.config = {}


def test_taking_over_from_nobody_is_a_first_start(own_daemon):
    running = own_daemon()
    running.stop()
    running._log = open(running.log_path, "ab")
    running.process = running.start_successor()
    wait_until(lambda: running._ready(), 60)


def test_another_process_without_the_option_is_refused(running):
    other = subprocess.run([running.path, "serve", "--data-dir", running.data], text=True,
                           capture_output=True, env=running.environment(), timeout=60)
    assert other.returncode == 1
    assert str(running.pid) in other.stderr


def test_only_its_user_may_ask(running):
    place = running.data / "handover.sock"
    assert os.stat(running.data).st_mode & 0o077 == 0
    assert place.is_socket()
