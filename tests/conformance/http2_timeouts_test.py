"""Timeouts and aborts over HTTP/2 (data-plane.md 5.1 to 5.5).

Everywhere member_timeout=1, client_timeout=2, keepalive_timeout=3."""

from __future__ import annotations

import itertools
import subprocess
import threading

import pytest

from rig import modes
from rig.clients import How
from rig.h2client import (
    CANCEL,
    CONTINUATION,
    HEADERS,
    INTERNAL_ERROR,
    NO_ERROR,
    pseudo_fields,
)
from rig.observe import upstream_values
from rig.parallel import concurrently
from rig.timing import LATE, Span, check_duration, now

MEMBER, CLIENT, IDLE = 1, 2, 3
TIMEOUTS = {"member_timeout": MEMBER, "client_timeout": CLIENT, "keepalive_timeout": IDLE}
_unique = itertools.count()


def unique(word: str = "try") -> str:
    return f"/h2-{word}-{next(_unique)}-"


@pytest.fixture
def make(api, lb, certificate, backend):
    """`make(mode, mode, …)`: an HTTP/2 service with a member for each mode."""
    ports = itertools.count(8443)

    def build(*scripted, **listener):
        members = [backend() for _ in scripted]
        service = api.make_service(lb, members, port=next(ports), certificate=certificate,
                                   http2_enable=True, **{**TIMEOUTS, **listener})
        for member, mode in zip(members, scripted):
            member.set(mode)
        return service

    return build


@pytest.fixture
def service(make):
    return make(modes.ok())


@pytest.fixture
def member(service):
    return service.backends[0]


def closed_in_order(client) -> bool:
    return client.raw.end.how is How.CLOSE_NOTIFY


def pinging(client, done: threading.Event, interval: float = 1.0) -> threading.Thread:
    """Sends a PING each `interval` until `done`."""

    def run() -> None:
        while not done.wait(interval):
            client.raw.send_quietly(b"\0\0\x08\x06\0\0\0\0\0" + bytes(8))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


# --- T5.1, T5.12: idle ---------------------------------------------------------------------------


def test_T5_1_an_idle_connection_gets_goaway_although_it_pings(service):
    done = threading.Event()
    with service.h2() as client:
        before = now()
        assert client.get().status == 200
        idle = Span(before, now())
        thread = pinging(client, done)
        client.read_until_end()
        done.set()
        thread.join()
    assert client.goaway.error_code == NO_ERROR
    idle.check(client.goaway_at, IDLE)
    assert client.pings, "the PINGs were not answered"
    assert client.raw.end.at - client.goaway_at <= 1 + LATE
    assert closed_in_order(client)


def test_T5_1_an_open_stream_is_not_idle(service, member):
    """The idle time begins when the last open stream closes."""
    service.update_listener(member_timeout=30)
    member.set(modes.by_target({"/slow": modes.slow(IDLE + 0.7)}))
    with service.h2() as client:
        slow = client.send_request("/slow")
        assert client.get("/quick").status == 200
        before = now()
        assert client.wait_for(slow).status == 200
        ended = now()
        client.expect_goaway(NO_ERROR)
    assert before < ended
    Span(client.streams[slow].done_at - 0.05, ended).check(client.goaway_at, IDLE)


def test_T5_12_idle_timeout_0_is_goaway_once_no_stream_is_open(service, member):
    service.update_listener(keepalive_timeout=0)
    member.set(modes.by_target({"/slow": modes.slow(0.5)}))
    with service.h2() as client:
        streams = [client.send_request(path) for path in ("/slow", "/quick")]
        client.read_until_end()
    assert [client.streams[stream].status for stream in streams] == [200, 200]
    assert client.goaway.error_code == NO_ERROR
    assert client.goaway_at >= client.streams[streams[0]].done_at
    assert closed_in_order(client)


# --- T5.2: heads ---------------------------------------------------------------------------------


def test_T5_2_silence_from_the_start_ends_the_connection(service):
    def without_preface() -> None:
        before = now()
        with service.h2(preface=False) as client:
            started = Span(before, client.raw.ready_at)
            started.check(client.read_until_end().at, CLIENT)
            assert client.streams == {}

    def without_request() -> None:
        before = now()
        with service.h2() as client:
            started = Span(before, now())
            started.check(client.read_until_end().at, CLIENT)
            assert (client.streams, closed_in_order(client)) == ({}, True)

    concurrently(without_preface, without_request)


def test_T5_2_half_a_field_section_ends_the_connection(service):
    with service.h2() as client:
        client.ping()  # An answer to its SETTINGS must not interrupt the field section.
        before = now()
        block = client.encoder.encode(pseudo_fields())
        client.send_raw_frame(HEADERS, 1, client.new_stream(), block[:4])
        started = Span(before, now())
        started.check(client.read_until_end().at, CLIENT)
        assert client.streams[1].status is None
    assert service.backends[0].requests == []


def test_T5_2_a_dripping_field_section_ends_all_the_same(service):
    """Slowloris: a CONTINUATION each half second does not extend the deadline."""
    with service.h2() as client:
        client.ping()
        before, done = now(), threading.Event()
        block = client.encoder.encode([*pseudo_fields(), ("x", "y" * 100)])
        client.send_raw_frame(HEADERS, 1, client.new_stream(), block[:4])
        started = Span(before, now())

        def drip() -> None:
            for byte in block[4:]:
                if done.wait(0.5):
                    return
                client.send_raw_frame(CONTINUATION, 0, 1, bytes([byte]))

        def read() -> None:
            try:
                started.check(client.read_until_end().at, CLIENT)
            finally:
                done.set()

        concurrently(lambda: ignoring_the_end(drip), read)


def ignoring_the_end(action) -> None:
    try:
        action()
    except OSError:
        pass


def test_T5_2_a_later_request_has_its_own_time(service):
    with service.h2() as client:
        before = now()
        assert client.get().status == 200
        client.raw.expect_silence(2.7 - (now() - before))
        begun = now()
        client.send_raw_frame(HEADERS, 1, client.new_stream(), b"\x82")
        Span(begun, now()).check(client.read_until_end().at, CLIENT)


# --- T5.3: bodies --------------------------------------------------------------------------------


def test_T5_3_a_gap_in_the_body_is_408_on_its_stream(daemon, service, member):
    target = unique("gap")
    with service.h2() as client:
        fields = [("content-length", "10")]
        stream = client.send_request(target, method="POST", fields=fields, end=False)
        member.wait_for_requests(1)
        before = now()
        client.send_data(stream, b"abc", end=False)
        started = Span(before, now())
        answer = client.wait_for_answer(stream)
        started.check(answer.first_byte_at, CLIENT)
        assert answer.status == 408
        client.read_until(lambda: answer.reset is not None)
        assert (answer.ended, answer.reset) == (True, NO_ERROR)
        assert client.get("/after").status == 200
    seen = member.requests[0]
    member.wait(lambda: seen.connection.ended_by_peer, 5)
    assert not seen.complete
    assert daemon.access_log.wait_for(target)["error_reason"] == "client_body_timeout"


def test_T5_3_each_byte_of_the_body_restarts_the_gap(service):
    with service.h2() as client:
        stream = client.send_request(method="POST", end=False)
        for byte in b"abcd":
            client.ping()
            client.raw.expect_silence(1.0)
            client.send_data(stream, bytes([byte]), end=False)
        client.send_data(stream, b"")
        assert client.wait_for(stream).json()["body_len"] == 4


def test_T5_3_a_gap_after_the_response_has_begun_is_cancel(service, member):
    """The response is under way while the body still comes."""
    service.update_listener(member_timeout=30)

    def begin_early(exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        exchange.wait(CLIENT + 5)

    member.set(begin_early)
    with service.h2() as client:
        before = now()
        stream = client.send_request(method="POST", body=b"abc", end=False)
        answer = client.wait_for_answer(stream)
        # The gap began with the last byte of the body, before or after the response came.
        started = Span(before, now())
        assert answer.status == 200
        client.wait_for(stream)
        assert (answer.ended, answer.reset) == (False, CANCEL)
        started.check(answer.done_at, CLIENT)


def test_T5_3_a_backend_that_stops_reading_is_504_and_never_408(service, member):
    member.set(modes.stop_reading())
    with service.h2() as client:
        before = now()
        stream = client.send_request(method="POST", end=False)
        progress = [before]

        def upload() -> None:
            block = bytes(16_384)
            while client.upload(stream, block, end=False):
                progress[0] = now()
                if client.streams[stream].done or client.streams[stream].status:
                    return

        upload()
        answer = client.wait_for_answer(stream)
    assert answer.status == 504
    assert answer.first_byte_at - before >= MEMBER
    assert answer.first_byte_at - progress[0] <= MEMBER + LATE


def test_5_2_a_stream_whose_window_stays_closed_is_reset_alone(daemon, service, member):
    """Response write stall: of the stream only, if only its window is closed."""
    target = unique("stall")
    member.set(modes.by_target({target: modes.fixed(b"x" * 500_000)}))
    with service.h2() as client:
        client.auto_window = False
        before = now()
        stream = client.send_request(target)
        answer = client.streams[stream]
        client.read_until(lambda: answer.body_len >= 65_535)
        client.send_window(0, 1 << 20)
        stalled = Span(before, now())
        client.read_until(lambda: answer.done)
        stalled.check(answer.done_at, CLIENT)
        assert (answer.ended, answer.body_len) == (False, 65_535)
        assert client.get("/after").status == 200
    assert daemon.access_log.wait_for(target)["error_reason"] == "client_write_timeout"


def test_5_2_a_client_that_reads_nothing_is_cut_off(service, member):
    """The socket stalls: the whole connection is reset."""
    member.set(modes.stream(64 << 20, b"x" * 65536))
    with service.h2(receive_buffer=4096) as client:
        client.auto_acknowledge = client.auto_window = False  # Sending would hide the RST.
        client.send_window(0, 1 << 30)
        stream = client.new_stream()
        client.send_headers(pseudo_fields("/stall"), stream=stream)
        client.send_window(stream, 1 << 30)
        member.wait_for_requests(1)
        (seen,) = member.requests
        member.wait(lambda: seen.connection.ended_by_peer, CLIENT + 10 * LATE)
        check_duration(seen.connection.ended_at - seen.at, CLIENT)
        assert client.read_until_end().how is How.RST


# --- T5.4, 5.3: members that do not answer -------------------------------------------------------


def test_T5_4_hung_members(daemon, make):
    two = make(modes.hang(), modes.hang())
    three = make(modes.hang(), modes.hang(), modes.ok())
    four = make(*[modes.hang() for _ in range(4)])

    def ask(service, status: int, seconds: float, attempts: list[str]) -> list[int]:
        target = unique("hung")
        with service.h2() as client:
            before = now()
            answer = client.get(target)
        assert answer.status == status
        check_duration(answer.first_byte_at - before, seconds)
        line = daemon.access_log.wait_for(target)
        assert upstream_values(line, "upstream_status") == attempts
        return sorted(service.counts([target]))

    assert concurrently(
        lambda: ask(two, 504, 2.0, ["504"] * 2),
        lambda: ask(three, 200, 2.0, ["504", "504", "200"]),
        lambda: ask(four, 504, 3.0, ["504"] * 3),
    ) == [[1, 1], [1, 1, 1], [0, 1, 1, 1]]


def test_T5_4_a_timeout_is_of_its_stream_only(make):
    service = make(modes.by_target({"/hang": modes.hang()}))
    with service.h2() as client:
        before = now()
        hung = client.send_request("/hang")
        others = [client.send_request(f"/{number}") for number in range(5)]
        client.wait_for(*others)
        assert [client.streams[stream].status for stream in others] == [200] * 5
        answer = client.wait_for(hung)
        check_duration(answer.first_byte_at - before, 1.0)
        assert (answer.status, client.get("/after").status) == (504, 200)


def test_T5_11_a_body_that_stops_is_reset(daemon, make):
    target = unique("stops")
    service = make(modes.trunc(1000, 100, how="hang"))
    with service.h2() as client:
        answer = client.get(target)
        assert (answer.status, answer.ended, answer.reset) == (200, False, INTERNAL_ERROR)
        assert answer.body_len == 100
        check_duration(answer.done_at - service.backends[0].requests[0].at, 1.0)
    assert daemon.access_log.wait_for(target)["error_reason"] == "backend_body_timeout"


# --- T5.10: the client leaves --------------------------------------------------------------------


def check_left(daemon, service, target: str, left: float) -> None:
    (seen,) = [r for r in service.backends[0].requests if r.target == target]
    service.backends[0].wait(lambda: seen.connection.ended_by_peer, 5)
    assert seen.connection.ended_at - left <= 0.1 + LATE
    line = daemon.access_log.wait_for(target)
    assert (int(line["status"]), line["error_reason"]) == (499, "client_closed")
    assert line["upstream_status"] == "-"


def test_T5_10_a_reset_stream_is_499(daemon, service, member):
    service.update_listener(member_timeout=30)
    target = unique("left")
    member.set(modes.by_target({target: modes.slow(5)}))
    with service.h2() as client:
        stream = client.send_request(target)
        member.wait_for_requests(1)
        client.send_reset(stream, CANCEL)
        check_left(daemon, service, target, now())
        assert client.get("/after").status == 200
    labels = {"lbaas_listener_id": service.listener["id"]}
    assert daemon.metrics().total("elb_m12_l7_http_499", **labels) == 1


def test_T5_10_a_closed_connection_is_499_for_each_stream(daemon, service, member):
    service.update_listener(member_timeout=30)
    targets = [unique("gone") for _ in range(3)]
    member.set(modes.slow(5))
    with service.h2() as client:
        for target in targets:
            client.send_request(target)
        member.wait_for_requests(3)
        left = now()
    for target in targets:
        check_left(daemon, service, target, left)


def test_T5_10_curl_with_a_time_limit_is_499(daemon, service, member):
    service.update_listener(member_timeout=30)
    target = unique("curl")
    member.set(modes.slow(3))
    command = ["curl", "-sk", "--http2", "-m", "0.5", service.origin + target]
    assert subprocess.run(command, timeout=30).returncode == 28  # Timed out.
    check_left(daemon, service, target, now())
    line = daemon.access_log.wait_for(target)
    assert line["server_protocol"] == "HTTP/2.0"
    assert 0.3 <= float(line["request_time"]) <= 0.5 + LATE
