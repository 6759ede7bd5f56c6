"""Timeouts towards the client (data-plane.md 5.1, 5.2, 5.5).

Everywhere member_timeout=1, client_timeout=2, keepalive_timeout=3."""

from __future__ import annotations

import subprocess
import threading

import pytest

from rig import http1, modes
from rig.clients import How
from rig.parallel import concurrently
from rig.timing import LATE, Span, check_duration, now, wait_until

MEMBER, CLIENT, IDLE = 1, 2, 3
TIMEOUTS = {"member_timeout": MEMBER, "client_timeout": CLIENT, "keepalive_timeout": IDLE}


@pytest.fixture(params=["http", "https"])
def service(api, lb, certificate, backend, request):
    if request.param == "http":
        return api.make_service(lb, [backend()], port=8080, **TIMEOUTS)
    return api.make_service(lb, [backend()], port=8443, certificate=certificate, **TIMEOUTS)


def closes_in_order(service, end) -> bool:
    """TLS says close_notify before its FIN."""
    return end.how is (How.CLOSE_NOTIFY if service.is_tls else How.FIN)


def test_T5_1_an_idle_connection_ends_after_the_idle_timeout(service):
    with service.client() as client:
        before = now()
        answer = client.get()
        assert answer.keeps
        idle = Span(before, now())
        end = client.expect_end()
    idle.check(end.at, IDLE)
    assert closes_in_order(service, end)


def test_T5_1_empty_lines_do_not_keep_a_connection_alive(service):
    with service.client() as client:
        before = now()
        client.get()
        idle = Span(before, now())
        client.expect_silence(1.5)
        client.send(b"\r\n")
        end = client.expect_end()
    idle.check(end.at, IDLE)


def test_T5_1_an_idle_end_is_neither_logged_nor_an_error(daemon, service):
    with service.client() as client:
        target = f"/idle-end-{service.scheme}"
        assert client.get(target).status == 200
        client.expect_end()
    daemon.access_log.wait_for(target)
    listener = service.listener["id"].replace("-", "")
    mine = daemon.access_log.matching(lambda line: line["listener_id"].replace("-", "") == listener)
    assert len(mine) == 1
    labels = {"lbaas_listener_id": service.listener["id"]}
    assert daemon.metrics().total("elb_me_l7_http_4xx", **labels) == 0


def test_T5_2_silence_from_the_start_is_closed_without_a_byte(service):
    before = now()
    with service.client() as client:
        end = client.expect_end()
        Span(before, client.ready_at).check(end.at, CLIENT)
    assert closes_in_order(service, end)


def test_T5_2_half_a_request_line_is_408(service):
    before = now()
    with service.client() as client:
        started = Span(before, client.ready_at)
        client.send(b"GET / HT")
        answer = client.read_response()
        started.check(answer.first_byte_at, CLIENT)
        assert (answer.status, answer.keeps) == (408, False)
        assert closes_in_order(service, client.expect_end())


def test_T5_2_a_dripping_header_is_408_all_the_same(service):
    """Slowloris: one byte each half second does not extend the deadline."""
    before = now()
    with service.client() as client:
        started = Span(before, client.ready_at)
        done = threading.Event()

        def drip() -> None:
            for byte in b"GET / HTTP/1.1\r\nHost: a.test\r\nX: " + b"y" * 100:
                if done.wait(0.5) or not client.send_quietly(bytes([byte])):
                    return

        dripping = threading.Thread(target=drip, daemon=True)
        dripping.start()
        answer = client.read_response()
        done.set()
        dripping.join()
        started.check(answer.first_byte_at, CLIENT)
        assert answer.status == 408
    assert service.backends[0].requests == []


def test_T5_2_a_later_request_has_its_own_time(service):
    with service.client() as client:
        before = now()
        client.get()
        client.expect_silence(2.7 - (now() - before))
        begun = now()
        client.send(b"GET /later HT")
        started = Span(begun, now())
        answer = client.read_response()
        started.check(answer.first_byte_at, CLIENT)
        assert answer.status == 408


def test_T5_2_408_is_logged_and_counted(daemon, service):
    labels = {"lbaas_listener_id": service.listener["id"]}
    with service.client() as client:
        client.send(b"GET /half-a-head HTTP/1.1\r\n")
        assert client.read_response().status == 408
    listener = service.listener["id"].replace("-", "")

    def logged() -> list[dict]:
        return daemon.access_log.matching(
            lambda line: line["listener_id"].replace("-", "") == listener
        )

    (line,) = wait_until(logged, 5, "the line of the 408")
    assert (int(line["status"]), line["error_reason"]) == (408, "client_header_timeout")
    assert daemon.metrics().total("elb_me_l7_http_4xx", **labels) == 1


def test_T5_3_a_gap_in_the_body_is_408_and_ends_the_upstream(service):
    member = service.backends[0]
    with service.client() as client:
        client.send(http1.request("/", "POST", fields=[("Content-Length", "10")]))
        member.wait_for_requests(1)
        before = now()
        client.send(b"abc")
        started = Span(before, now())
        answer = client.read_response("POST")
        started.check(answer.first_byte_at, CLIENT)
        assert (answer.status, answer.keeps) == (408, False)
        assert client.expect_end().orderly
    seen = member.requests[0]
    member.wait(lambda: seen.connection.ended_by_peer, 5)
    assert not seen.complete


def test_T5_3_each_byte_of_the_body_restarts_the_gap(service):
    with service.client() as client:
        client.send(http1.request("/", "POST", fields=[("Content-Length", "4")]))
        for byte in b"abcd":
            client.expect_silence(1.0)
            client.send(bytes([byte]))
        assert client.read_response("POST").json()["body_len"] == 4


def test_T5_3_a_backend_that_stops_reading_is_504_and_never_408(service):
    member = service.backends[0]
    member.set(modes.stop_reading())
    progress = [now()]

    def upload(client) -> None:
        while client.send_quietly(b"x" * 65536):
            progress[0] = now()

    with service.client() as client:
        before = now()
        client.send(http1.request("/", "POST", fields=[("Content-Length", str(1 << 30))]))
        threading.Thread(target=upload, args=(client,), daemon=True).start()
        answer = client.read_response("POST")
    assert answer.status == 504
    assert answer.first_byte_at - before >= MEMBER
    # Our last byte went into buffers before theirs was refused, so it is the earlier moment.
    assert answer.first_byte_at - progress[0] <= MEMBER + LATE


def test_T5_3_a_gap_after_the_response_has_begun_closes_the_connection(service):
    service.update_listener(member_timeout=30)
    begun = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"

    def begin_early(exchange) -> None:
        exchange.send(begun)
        exchange.wait(CLIENT + 5)

    service.backends[0].set(begin_early)
    with service.client() as client:
        before = now()
        client.send(http1.request("/", "POST", fields=[("Content-Length", "10")], body=b"abc"))
        answer = client.read_response("POST")
        assert (answer.status, answer.complete, answer.body) == (200, False, b"a")
        check_duration(client.end.at - before, CLIENT, late=LATE + 0.3)


def test_T5_10_a_client_that_leaves_is_499(daemon, service):
    member, target = service.backends[0], f"/left-{service.scheme}"
    service.update_listener(member_timeout=30)
    member.set(modes.slow(3))
    command = ["curl", "-sk", "-m", "0.5", service.origin + target]
    before = now()
    assert subprocess.run(command, timeout=30).returncode == 28  # Timed out.
    left = now()
    (seen,) = member.requests
    member.wait(lambda: seen.connection.ended_by_peer, 5)
    assert seen.connection.ended_at - left <= 0.1 + LATE
    assert seen.connection.ended_at - before >= 0.5 - 0.01
    line = daemon.access_log.wait_for(target)
    assert (int(line["status"]), line["error_reason"]) == (499, "client_closed")
    assert 0.4 <= float(line["request_time"]) <= 0.5 + LATE
    assert line["upstream_status"] == "-"
    labels = {"lbaas_listener_id": service.listener["id"]}
    assert daemon.metrics().total("elb_m12_l7_http_499", **labels) == 1


def test_T5_12_idle_timeout_0_closes_after_each_response(service):
    service.update_listener(keepalive_timeout=0)
    for target in ("/1", "/2"):
        with service.client() as client:
            answer = client.get(target)
            assert (answer.status, answer.get("connection").lower()) == (200, "close")
            assert closes_in_order(service, client.expect_end())


def test_5_2_a_client_that_stops_reading_is_reset(api, lb, backend):
    """Response write stall: nothing taken for client_timeout ends the connection by RST."""
    member = backend(mode=modes.stream(64 << 20, b"x" * 65536))
    service = api.make_service(lb, [member], client_timeout=CLIENT)

    def stalled() -> How:
        with service.client(receive_buffer=4096) as client:
            client.send(http1.request("/stall"))
            member.wait_for_requests(1)
            cut = member.requests[0].connection
            member.wait(lambda: cut.ended_by_peer, CLIENT + 10 * LATE)
            check_duration(cut.ended_at - member.requests[0].at, CLIENT)
            client.read_rest()
            return client.end.how

    assert concurrently(stalled) == [How.RST]
