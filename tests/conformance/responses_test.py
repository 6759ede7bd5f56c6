"""What backends may answer, and what becomes of bad answers (data-plane.md 4.8, 4.9)."""

from __future__ import annotations

import itertools

import pytest

from rig import http1, modes
from rig.clients import How
from rig.parallel import concurrently
from rig.timing import FULL, now

_unique = itertools.count()


@pytest.fixture(scope="module")
def services(api, module_lb, certificate, module_backend):
    member = module_backend()
    return {
        "http": api.make_service(module_lb, [member], port=8080),
        "https": api.make_service(module_lb, [member], port=8443, certificate=certificate),
    }


@pytest.fixture(params=["http", "https"])
def service(services, request):
    made = services[request.param]
    made.backends[0].set(modes.ok())
    made.backends[0].clear()
    return made


def unique(word: str) -> str:
    return f"/{word}-{next(_unique)}-"


BAD_HEADS = {
    "junk": b"\x00\x01\x02 nothing like HTTP\r\n\r\n",
    "no_version": b"200 OK\r\n\r\n",
    "other_version": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "status_of_two_digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "status_of_four_digits": b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
    "status_below_100": b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
    "field_without_colon": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nbroken\r\n\r\n",
    "field_with_space_before_colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "field_with_nul": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: a\x00b\r\n\r\n",
    "differing_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "length_and_chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "unknown_coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    "bad_length": b"HTTP/1.1 200 OK\r\nContent-Length: 3x\r\n\r\nabc",
    "unasked_101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD_HEADS)
def test_T4_12_a_malformed_answer_is_502(daemon, service, name):
    member, target = service.backends[0], unique(name)
    member.set(modes.raw(BAD_HEADS[name], "hang"))
    with service.client() as client:
        answer = client.get(target)
        assert (answer.status, answer.keeps, answer.complete) == (502, True, True)
        bad = member.requests[-1].connection
        member.wait(lambda: bad.ended_by_peer, 5)  # Never used again.
        member.set(modes.ok())
        assert client.get("/after").status == 200
    line = daemon.access_log.wait_for(target)
    assert line["error_reason"] == "backend_bad_response"


def test_T4_12_a_closed_connection_without_an_answer_is_502(daemon, service):
    target = unique("closed")
    service.backends[0].set(modes.close())
    assert service.get(target, method="POST", body=b"x").status == 502
    assert daemon.access_log.wait_for(target)["error_reason"] == "backend_closed"


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_T4_12_a_truncated_answer_looks_truncated(daemon, service, how):
    target = unique(f"trunc{how}")
    service.backends[0].set(modes.trunc() if how == "length" else modes.trunc_chunked())
    with service.client() as client:
        answer = client.get(target)
        assert (answer.status, answer.complete) == (200, False)
        assert len(answer.body) <= 100
        if service.is_tls:
            assert client.end.how is not How.CLOSE_NOTIFY, "a cut message must look cut"
    line = daemon.access_log.wait_for(target)
    assert (int(line["status"]), line["error_reason"]) == (200, "backend_truncated")


def test_a_close_delimited_answer_is_complete(service):
    """4.8: chunked to 1.1, close-delimited to 1.0."""
    service.backends[0].set(modes.close_delimited(b"x" * 5000))
    with service.client() as client:
        answer = client.get()
        assert (answer.body, answer.complete) == (b"x" * 5000, True)
        assert answer.head.chunked
    with service.client() as client:
        answer = client.exchange(b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
        assert (answer.body, answer.complete, answer.head.chunked) == (b"x" * 5000, True, False)


@pytest.mark.parametrize("method, status", [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_answers_without_body_relay_none(service, method, status):
    """4.8: surplus bytes close the upstream connection and reach nobody."""
    member = service.backends[0]
    head = b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\n" % status
    member.set(modes.raw(head + b"evil"))
    with service.client() as client:
        answer = client.exchange(http1.request("/", method), method)
        assert (answer.status, answer.body) == (status, b"")
        member.set(modes.ok())
        assert client.get("/next").json()["target"] == "/next"
    assert len({request.connection.number for request in member.requests}) == 2


def test_hop_by_hop_fields_of_answers_end_here(service):
    fields = [("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=1"),
              ("Proxy-Connection", "x"), ("Upgrade", "h2c"), ("Server", "mine"), ("X-Kept", "2")]
    service.backends[0].set(modes.fixed(b"ok", fields))
    answer = service.get()
    for name in ("x-hop", "keep-alive", "proxy-connection", "upgrade"):
        assert not answer.head.has(name)
    assert (answer.get("server"), answer.get("x-kept")) == ("mine", "2")
    assert answer.get("date")


def test_http_1_0_keep_alive_is_honoured(service):
    service.backends[0].set(modes.fixed(b"ok"))
    head = b"GET / HTTP/1.0\r\nHost: a.test\r\nConnection: keep-alive\r\n\r\n"
    with service.client() as client:
        for _ in range(2):
            answer = client.exchange(head)
            assert answer.get("connection").lower() == "keep-alive"
        assert client.exchange(b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").status == 200
        assert client.expect_end().orderly


def test_trailers_reach_a_client_that_accepts_them(service):
    service.backends[0].set(modes.chunked([b"abc"], [("X-Sum", "6")]))
    fields = [("TE", "trailers"), ("Connection", "TE")]
    with service.client() as client:
        assert client.get(fields=fields).trailers == [("X-Sum", "6")]
        assert client.get().trailers == []


def test_upstream_connections_are_reused(service):
    with service.client() as client:
        for number in range(5):
            assert client.get(f"/{number}").status == 200
    assert len({request.connection.number for request in service.backends[0].requests}) == 1


def test_a_reused_connection_that_died_is_replaced_silently(service):
    """4.9: idempotent and replayable requests are sent again to the same member."""
    member = service.backends[0]
    with service.client() as client:
        assert client.get("/first").status == 200
        first = member.requests[-1].connection
        member.set(modes.sequence(modes.close(), modes.ok()))
        assert client.get("/second").status == 200
    assert member.requests[-1].connection is not first
    assert member.targets[-2:] == ["/second", "/second"]


@pytest.mark.slow
def test_T4_13_posts_never_meet_the_keep_alive_race(api, lb, backend):
    """Waves of POSTs, 1.9 to 2.1 s apart, against a backend that closes idle connections after 2 s:
    every upstream connection is at its end when the next wave comes."""
    member = backend()
    member.idle_timeout = 2.0
    service = api.make_service(lb, [member])
    clients, waves = (100, 10) if FULL else (125, 4)
    start = now() + 0.5
    statuses: list[int] = []

    def post(index: int) -> None:
        jitter = 0.2 * index / clients - 0.1
        with service.client() as client:
            for wave in range(waves):
                wait_for_moment(start + wave * 2.0 + (jitter if wave % 2 else -jitter) / 2)
                data = http1.request(f"/{index}/{wave}", "POST", body=b"x")
                statuses.append(client.exchange(data, "POST").status)

    concurrently(*[lambda index=index: post(index) for index in range(clients)])
    assert statuses == [200] * clients * waves


def wait_for_moment(moment: float) -> None:
    """The spacing is what this test is about."""
    import time

    time.sleep(max(0.0, moment - now()))
