"""Guards against abuse of HTTP/2 (data-plane.md 4.4)."""

from __future__ import annotations

import statistics
import struct
import time

import pytest

from rig import modes
from rig.h2client import (
    CANCEL,
    DATA,
    ENHANCE_YOUR_CALM,
    HEADERS,
    PING,
    PRIORITY,
    SETTINGS,
    pseudo_fields,
)
from rig.parallel import concurrently
from rig.timing import now, wait_until

RESETS_PER_SECOND_MAX = 256
RESETS_MAX = 500
IDLE_FRAMES_MAX = 1000
EMPTY_FRAMES_MAX = 100


@pytest.fixture
def service(api, lb, certificate, backend):
    return api.make_service(lb, [backend()], port=8443, certificate=certificate,
                            http2_enable=True)


@pytest.fixture
def member(service):
    return service.backends[0]


def reset_pairs(client, count: int) -> None:
    for _ in range(count):
        client.send_reset(client.send_request("/reset"), CANCEL)


def all_cancelled(member) -> bool:
    """Each request that came here has lost its connection."""
    return all(seen.connection.ended_by_peer for seen in member.requests)


def test_T4_10_rapid_resets_end_the_connection_by_the_300th(service, member):
    member.set(modes.hang())
    with service.h2(timeout=10) as client:
        client.read_until(lambda: client.settings)
        with client.batched():
            reset_pairs(client, 1000)
        last = client.expect_goaway(ENHANCE_YOUR_CALM).last_stream_id
    assert len(member.requests) <= 300
    member.wait(lambda: all_cancelled(member), 10)
    assert last <= 2 * 300, f"the GOAWAY says that {(last + 1) // 2} streams were processed"
    member.set(modes.ok())
    assert service.get("/after").status == 200


def test_T4_10_others_do_not_feel_it(service, member):
    """While connections are abused, requests on another keep being answered promptly."""
    member.set(modes.by_target({"/reset": modes.hang()}))
    done = []

    def abuse() -> None:
        for _ in range(5):
            with service.h2(timeout=10) as client:
                client.read_until(lambda: client.settings)
                with client.batched():
                    reset_pairs(client, 400)
                client.expect_goaway(ENHANCE_YOUR_CALM)
        done.append(True)

    def ask(until) -> list[float]:
        taken = []
        with service.client() as client:
            while not until() or len(taken) < 100:
                before = now()
                assert client.get("/other").status == 200
                taken.append(now() - before)
        return taken

    quiet = ask(lambda: True)
    _, busy = concurrently(abuse, lambda: ask(lambda: done))
    # The rig, the member and the daemon share two cores: only starvation would show here.
    assert statistics.quantiles(busy, n=100)[98] <= max(quiet) + 0.5


def test_T4_10_slow_resets_end_the_connection_by_the_510th(service, member):
    """Below the rate of one second it is the total that counts: over 500, over half of all."""
    member.set(modes.hang())
    with service.h2(timeout=10) as client:
        client.read_until(lambda: client.settings)
        for _ in range(26):
            if client.goaway is None:
                with client.batched():
                    reset_pairs(client, 20)
                time.sleep(0.1)  # At most 200 a second: below the other guard.
        goaway = client.expect_goaway(ENHANCE_YOUR_CALM)
    assert 2 * 490 <= goaway.last_stream_id <= 2 * 520
    member.wait(lambda: all_cancelled(member), 10)


def test_T4_10_many_resets_among_more_answers_are_legal(service, member):
    """Over 500 resets that are no more than half of all streams."""
    member.set(modes.by_target({"/reset": modes.hang()}))
    with service.h2() as client:
        client.read_until(lambda: client.settings)
        for _ in range(14):
            answered = [client.send_request("/kept") for _ in range(45)]
            client.wait_for(*answered)
            with client.batched():
                reset_pairs(client, 40)
            client.ping()
            time.sleep(0.2)  # At most 200 a second.
        assert client.goaway is None
        assert client.get("/after").status == 200


def test_T4_10_cancelling_128_streams_at_once_is_legal(service, member):
    member.set(modes.by_target({"/page": modes.hang()}))
    with service.h2() as client:
        streams = [client.send_request("/page") for _ in range(128)]
        member.wait_for_requests(128, 30)
        with client.batched():
            for stream in streams:
                client.send_reset(stream, CANCEL)
        member.wait(lambda: all_cancelled(member), 20)
        assert client.get("/after").status == 200
        assert client.goaway is None


FLOODS = {
    "ping": lambda client: client.send_raw_frame(PING, 0, 0, bytes(8)),
    "settings": lambda client: client.send_raw_frame(SETTINGS, 0, 0, b""),
    "priority": lambda client: client.send_raw_frame(PRIORITY, 0, 1, b"\0\0\0\0\x10"),
    "settings_with_values": lambda client: client.send_raw_frame(
        SETTINGS, 0, 0, struct.pack("!HI", 4, 65_535)),
}  # fmt: skip


@pytest.mark.parametrize("kind", FLOODS)
def test_4_4_a_flood_of_frames_that_do_nothing_ends_the_connection(service, kind):
    with service.h2(timeout=10) as client:
        client.read_until(lambda: client.settings)
        with client.batched():
            for _ in range(IDLE_FRAMES_MAX + 100):
                FLOODS[kind](client)
        client.expect_goaway(ENHANCE_YOUR_CALM)


@pytest.mark.parametrize("kind", FLOODS)
def test_4_4_some_frames_that_do_nothing_are_legal(service, kind):
    with service.h2() as client:
        client.read_until(lambda: client.settings)
        for _ in range(9):
            with client.batched():
                for _ in range(100):
                    FLOODS[kind](client)
            client.ping()
        assert client.get("/after").status == 200


def test_4_4_a_flood_of_pings_whose_answers_are_not_read_ends_the_connection(service):
    """Each answer would wait in memory."""
    with service.h2(timeout=10) as client:
        client.auto_acknowledge = False
        for _ in range(20):
            with client.batched():
                for _ in range(1000):
                    client.send_ping()
        end = client.read_until_end()
    assert end is not None


def test_4_4_over_100_empty_data_frames_end_the_connection(service, member):
    with service.h2(timeout=10) as client:
        stream = client.send_request(method="POST", end=False)
        member.wait_for_requests(1)
        with client.batched():
            for _ in range(EMPTY_FRAMES_MAX + 5):
                client.send_raw_frame(DATA, 0, stream, b"")
        client.expect_goaway(ENHANCE_YOUR_CALM)
    (seen,) = member.requests
    member.wait(lambda: seen.connection.ended_by_peer, 5)
    assert not seen.complete


def test_4_4_90_empty_data_frames_are_legal(service):
    with service.h2() as client:
        stream = client.send_request(method="POST", end=False)
        with client.batched():
            for _ in range(EMPTY_FRAMES_MAX - 10):
                client.send_raw_frame(DATA, 0, stream, b"")
        client.send_data(stream, b"abc")
        assert client.wait_for(stream).json()["body_len"] == 3


def test_4_4_empty_field_blocks_without_end_end_the_connection(service):
    """CVE-2024-27316 and its kin: HEADERS and CONTINUATION of no bytes without END_HEADERS."""
    with service.h2(timeout=10) as client:
        client.read_until(lambda: client.settings)
        with client.batched():
            client.send_raw_frame(HEADERS, 0, 1, client.encoder.encode(pseudo_fields()))
            for _ in range(EMPTY_FRAMES_MAX + 5):
                client.send_raw_frame(9, 0, 1, b"")
        client.expect_goaway(ENHANCE_YOUR_CALM)
    assert service.get("/after").status == 200


def test_4_4_a_flood_that_ended_leaves_nothing_behind(daemon, service, member):
    """The connections of the abusers are gone from the gauge."""
    labels = {"lbaas_listener_id": service.listener["id"]}
    for _ in range(3):
        with service.h2(timeout=10) as client:
            client.read_until(lambda: client.settings)
            with client.batched():
                reset_pairs(client, 400)
            client.read_until_end()
    wait_until(lambda: daemon.metrics().total("elb_m1_cps", **labels) == 0, 10,
               "the end of all connections")
