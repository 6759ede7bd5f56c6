"""Upgrades and WebSocket (data-plane.md 4.6)."""

from __future__ import annotations

import asyncio
import itertools
import ssl

import pytest
import websockets

from rig import http1, modes
from rig.clients import How
from rig.parallel import concurrently
from rig.timing import FULL, LATE, Span, now, wait_until

# T4.8 says 15, 10 and 60 s; the proportions are what matters.
IDLE, PAUSE, MESSAGES = (15, 10, 6) if FULL else (2, 1.3, 4)
_unique = itertools.count()


def unique(word: str) -> str:
    return f"/ws-{word}-{next(_unique)}-"


@pytest.fixture(params=["http", "https"])
def service(api, lb, certificate, backend, request):
    """A listener with a member that echoes WebSocket messages; wss beside HTTP/2."""
    more = {"certificate": certificate, "http2_enable": True} if request.param == "https" else {}
    return api.make_service(lb, [backend(mode=modes.websocket_echo())], port=8080, **more)


@pytest.fixture
def member(service):
    return service.backends[0]


def url(service, target: str) -> str:
    scheme = "wss" if service.is_tls else "ws"
    return f"{scheme}://{service.address}:{service.port}{target}"


def connect(service, target: str, **more):
    """A connection without pings of its own."""
    if service.is_tls:
        more["ssl"] = ssl._create_unverified_context()
    return websockets.connect(url(service, target), ping_interval=None, compression=None,
                              max_size=None, open_timeout=30, **more)


UPGRADE = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
           ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]  # fmt: skip


def test_T4_8_messages_of_any_size_come_back(service, member):
    messages = ["", "hello", "ü" * 1000, b"\0" * 70_000, b"x" * (1 << 18)]

    async def talk() -> list:
        async with connect(service, "/sizes") as socket:
            answers = []
            for message in messages:
                await socket.send(message)
                answers.append(await socket.recv())
            await (await socket.ping())
            return answers

    assert asyncio.run(talk()) == messages
    (seen,) = member.requests
    assert (seen.get("upgrade"), seen.get("connection").lower()) == ("websocket", "upgrade")
    assert seen.get("x-forwarded-host") == f"{service.address}:{service.port}"


def test_T4_8_many_connections_at_once(service):
    async def one(number: int) -> str:
        async with connect(service, f"/{number}") as socket:
            for _ in range(5):
                await socket.send(str(number))
                assert await socket.recv() == str(number)
            return str(number)

    async def all_of_them() -> list[str]:
        return await asyncio.gather(*[one(number) for number in range(40)])

    assert asyncio.run(all_of_them()) == [str(number) for number in range(40)]


def test_T4_8_stays_while_messages_come_and_closes_when_silent(daemon, service):
    """One message each 10 s with an idle timeout of 15 s stays for 60 s; then silence: closed."""
    service.update_listener(keepalive_timeout=IDLE)
    target = unique("idle")

    async def talk() -> Span:
        async with connect(service, target) as socket:
            for number in range(MESSAGES):
                before = now()
                await socket.send(str(number))
                assert await socket.recv() == str(number)
                silent = Span(before, now())
                if number < MESSAGES - 1:
                    await asyncio.sleep(PAUSE)  # The spacing is what this test is about.
            await asyncio.wait_for(socket.wait_closed(), IDLE + 10)
            silent.check(now(), IDLE)

    asyncio.run(talk())
    line = daemon.access_log.wait_for(target)
    assert int(line["status"]) == 101
    assert line["upstream_status"] == "101"
    assert float(line["request_time"]) >= (MESSAGES - 1) * PAUSE + IDLE - LATE
    assert int(line["body_bytes_sent"]) >= MESSAGES * 3  # Two bytes of frame head, one of text.


def test_T4_8_a_message_from_the_backend_is_activity_too(service, member):
    service.update_listener(keepalive_timeout=IDLE)
    spoken = []

    def speak(exchange) -> None:
        exchange.respond(101, fields=[("Upgrade", "websocket"), ("Connection", "Upgrade")])
        for _ in range(3):
            if exchange.wait(PAUSE):
                return
            exchange.send(b"x")
            spoken.append(now())
        exchange.wait(60)

    member.set(speak)
    with service.client() as client:
        client.send(http1.request("/", fields=UPGRADE))
        assert client.read_response().status == 101
        assert client.read_rest() == b"xxx"
        Span(spoken[-1], spoken[-1]).check(client.end.at, IDLE)


def test_4_6_without_idle_timeout_the_response_timeout_counts(service):
    service.update_listener(keepalive_timeout=0, member_timeout=1)
    with service.client() as client:
        before = now()
        client.send(http1.request("/", fields=UPGRADE))
        assert client.read_response().status == 101
        silent = Span(before, now())
        assert client.read_rest() == b""
        silent.check(client.end.at, 1.0)


def test_4_6_the_end_of_either_side_reaches_the_other(service, member):
    def backend_ends() -> None:
        member.set(modes.raw(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                             b"last words", "close"))
        with service.client() as client:
            client.send(http1.request("/backend", fields=UPGRADE))
            assert client.read_response().status == 101
            assert client.read_rest() == b"last words"
            assert client.end.how is (How.CLOSE_NOTIFY if service.is_tls else How.FIN)

    def client_ends() -> None:
        member.set(modes.websocket_echo())
        with service.client() as client:
            client.send(http1.request("/client", fields=UPGRADE))
            assert client.read_response().status == 101
        (seen,) = [request for request in member.requests if request.target == "/client"]
        member.wait(lambda: seen.connection.ended_by_peer, 5)

    backend_ends()
    client_ends()


def test_4_6_bytes_behind_the_request_and_the_101_are_relayed(service, member):
    """Both sides may speak at once."""
    hello = b"\x81\x82\0\0\0\0hi"
    with service.client() as client:
        client.send(http1.request("/early", fields=UPGRADE) + hello)
        assert client.read_response().status == 101
        assert b"".join(client.reader.take(4)) == b"\x81\x82hi"[:1] + b"\x02hi"


def test_4_6_another_answer_leaves_the_connection_http(service, member):
    member.set(modes.status(403, b"no"))
    with service.client() as client:
        answer = client.get("/refused", fields=UPGRADE)
        assert (answer.status, answer.body, answer.keeps) == (403, b"no", True)
        member.set(modes.ok())
        assert client.get("/after").status == 200


@pytest.mark.parametrize("fields", [
    [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABk")],
    [("Upgrade", "foo"), ("Connection", "Upgrade")],
    [("Upgrade", "websocket")],
], ids=["h2c", "unknown", "without_connection"])  # fmt: skip
def test_4_6_any_other_upgrade_is_an_ordinary_request(service, member, fields):
    member.set(modes.ok())
    with service.client() as client:
        assert client.get("/one", fields=fields).status == 200
        assert client.get("/two").status == 200
    seen = member.requests[0]
    for name in ("upgrade", "http2-settings"):
        assert seen.get(name) is None
    assert "upgrade" not in (seen.get("connection") or "").lower()


def test_4_6_a_101_that_nobody_asked_for_is_502(daemon, service, member):
    target = unique("unasked")
    member.set(modes.raw(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
                         b"GET /evil HTTP/1.1\r\n\r\n"))
    with service.client() as client:
        assert client.get(target, fields=[("Upgrade", "h2c"), ("Connection", "Upgrade")]).status \
            == 502
    assert daemon.access_log.wait_for(target)["error_reason"] == "backend_bad_response"


def test_4_6_an_upgraded_connection_is_never_used_again(service, member):
    def once(target: str) -> None:
        with service.client() as client:
            client.send(http1.request(target, fields=UPGRADE))
            assert client.read_response().status == 101

    for target in ("/1", "/2"):
        once(target)
    member.set(modes.ok())
    assert service.get("/3").status == 200
    assert len({seen.connection.number for seen in member.requests}) == 3


def test_T4_8_counts_one_request_and_one_connection(daemon, service):
    labels = {"lbaas_listener_id": service.listener["id"]}

    def total(name: str) -> float:
        return daemon.metrics().total(f"elb_{name}", **labels)

    async def talk() -> None:
        async with connect(service, "/counted") as socket:
            await socket.send("x")
            await socket.recv()
            assert total("m1_cps") == 1

    asyncio.run(talk())
    wait_until(lambda: total("m1_cps") == 0, 5, "the end of the connection")
    assert (total("mb_l7_qps"), total("m10_l7_http_other_status")) == (1, 1)


def test_T4_8_the_retry_of_a_refused_member_works_for_upgrades(api, lb, backend):
    members = [backend(mode=modes.websocket_echo()) for _ in range(2)]
    service = api.make_service(lb, members, port=8081)
    members[0].refuse()

    async def talk(number: int) -> None:
        async with connect(service, f"/{number}") as socket:
            await socket.send("x")
            assert await socket.recv() == "x"

    concurrently(*[lambda n=n: asyncio.run(talk(n)) for n in range(4)])
    assert len(members[1].requests) == 4
