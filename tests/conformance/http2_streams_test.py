"""Streams, malformed requests and broken frames over HTTP/2 (data-plane.md 4.4)."""

from __future__ import annotations

import itertools
import struct
import threading

import pytest

from rig import modes
from rig.h2client import (
    CANCEL,
    COMPRESSION_ERROR,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    PADDED,
    PING,
    PRIORITY,
    PROTOCOL_ERROR,
    PUSH_PROMISE,
    REFUSED_STREAM,
    RST_STREAM,
    SETTINGS,
    STREAM_CLOSED,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    literal_block,
    pseudo_fields,
    raw_frame,
)

STREAMS_MAX = 128
_unique = itertools.count()


@pytest.fixture(scope="module")
def shared(api, module_lb, certificate, module_backend):
    return api.make_service(module_lb, [module_backend()], port=8443, certificate=certificate,
                            http2_enable=True)


@pytest.fixture
def service(shared):
    shared.backends[0].set(modes.ok())
    shared.backends[0].clear()
    return shared


@pytest.fixture
def member(service):
    return service.backends[0]


@pytest.fixture
def client(service):
    with service.h2() as connected:
        yield connected


# --- T4.9: many streams --------------------------------------------------------------------------


@pytest.mark.parametrize("acknowledged", [True, False], ids=["acknowledged", "not_acknowledged"])
def test_T4_9_the_129th_stream_is_refused(service, member, acknowledged):
    gate = threading.Event()
    member.set(modes.by_target({"/held": modes.held(gate)}))
    with service.h2() as client:
        client.auto_acknowledge = acknowledged
        client.read_until(lambda: client.settings)
        streams = [client.send_request("/held") for _ in range(STREAMS_MAX)]
        member.wait_for_requests(STREAMS_MAX, 30)
        refused = client.send_request("/one-too-many")
        client.read_until(lambda: client.streams[refused].done or client.goaway)
        gate.set()
        if client.goaway:
            assert acknowledged and client.goaway.error_code == PROTOCOL_ERROR
        else:
            assert client.streams[refused].reset == REFUSED_STREAM
            client.wait_for(*streams)
            assert [client.streams[stream].status for stream in streams] == [200] * STREAMS_MAX
            assert client.get("/again").status == 200
    assert "/one-too-many" not in member.targets


def test_T4_9_128_streams_at_once_all_answer(client, member):
    gate = threading.Event()
    member.set(modes.held(gate))
    streams = [client.send_request(f"/{number}") for number in range(STREAMS_MAX)]
    member.wait_for_requests(STREAMS_MAX, 30)
    gate.set()
    client.wait_for(*streams)
    answers = [client.streams[stream] for stream in streams]
    assert [answer.json()["target"] for answer in answers] == [f"/{n}" for n in range(STREAMS_MAX)]


def test_T4_9_streams_share_the_connection_fairly(client, member):
    """A large answer in progress does not hold up a small one."""
    member.set(modes.by_target({"/large": modes.stream(8 << 20, b"x" * 65536)}))
    large = client.send_request("/large")
    client.read_until(lambda: client.streams[large].body_len)
    small = client.send_request("/small")
    client.wait_for(small)
    assert not client.streams[large].ended, "the small answer came after the large one"
    assert client.wait_for(large).body_len == 8 << 20


# --- T4.9, T4.11: malformed requests -------------------------------------------------------------


def with_field(name: str | bytes, value: str | bytes) -> list:
    return [*pseudo_fields("/malformed"), (name, value)]


def without(name: str) -> list:
    return [pair for pair in pseudo_fields("/malformed") if pair[0] != name]


MALFORMED = {
    "upper_case_name": with_field("Foo", "a"),
    "name_with_space": with_field("f oo", "a"),
    "name_with_colon": with_field("f:oo", "a"),
    "name_with_high_byte": with_field(b"foo\xff", "a"),
    "name_with_lf": with_field("foo\n", "a"),
    "name_empty": with_field("", "a"),
    "cr_in_value": with_field("foo", "a\rb"),
    "lf_in_value": with_field("foo", "a\nb"),
    "crlf_in_value": with_field("foo", "a\r\nX: b"),
    "nul_in_value": with_field("foo", "a\0b"),
    "space_before_value": with_field("foo", " a"),
    "space_after_value": with_field("foo", "a "),
    "tab_after_value": with_field("foo", "a\t"),
    "connection": with_field("connection", "close"),
    "keep_alive": with_field("keep-alive", "timeout=5"),
    "proxy_connection": with_field("proxy-connection", "keep-alive"),
    "transfer_encoding": with_field("transfer-encoding", "chunked"),
    "upgrade": with_field("upgrade", "websocket"),
    "te_gzip": with_field("te", "gzip"),
    "te_trailers_and_more": with_field("te", "trailers, gzip"),
    "method_missing": without(":method"),
    "scheme_missing": without(":scheme"),
    "path_missing": without(":path"),
    "method_twice": [*pseudo_fields("/malformed"), (":method", "GET")],
    "path_twice": [*pseudo_fields("/malformed"), (":path", "/malformed")],
    "authority_twice": [*pseudo_fields("/malformed"), (":authority", "a.test")],
    "pseudo_after_field": [*without(":path"), ("foo", "a"), (":path", "/malformed")],
    "pseudo_unknown": [*pseudo_fields("/malformed"), (":foo", "a")],
    "pseudo_of_a_response": [*pseudo_fields("/malformed"), (":status", "200")],
    "path_empty": pseudo_fields(""),
    "path_relative": pseudo_fields("malformed"),
    "path_absolute_form": pseudo_fields("https://a.test/malformed"),
    "path_asterisk_with_get": pseudo_fields("*"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_T4_9_a_malformed_request_ends_its_stream_only(client, member, name):
    gate = threading.Event()
    member.set(modes.held(gate))
    before, after = client.send_request("/before"), None
    bad = client.send_block(literal_block(MALFORMED[name]))
    after = client.send_request("/after")
    client.wait_for(bad)
    gate.set()
    assert (client.streams[bad].reset, client.streams[bad].status) == (PROTOCOL_ERROR, None)
    assert [client.wait_for(stream).status for stream in (before, after)] == [200, 200]
    assert sorted(member.targets) == ["/after", "/before"]


def test_T4_11_a_line_break_in_a_value_reaches_nobody(client, member):
    block = literal_block([*pseudo_fields("/smuggle"), ("foo", "a\r\nX: b")])
    assert client.wait_for(client.send_block(block)).reset == PROTOCOL_ERROR
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


@pytest.mark.parametrize("name", [":path", ":authority", ":method", ":scheme"])
def test_T4_11_a_line_break_in_a_pseudo_header_reaches_nobody(client, member, name):
    """4.2 would make it a 400; either way no byte goes on."""
    fields = [(key, value + " HTTP/1.1\r\nX: b" if key == name else value)
              for key, value in pseudo_fields("/smuggle")]  # fmt: skip
    answer = client.wait_for(client.send_block(literal_block(fields)))
    assert answer.status == 400 or answer.reset == PROTOCOL_ERROR
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


@pytest.mark.parametrize("declared, sent", [(3, 4), (5, 4), (0, 1)])
def test_T4_9_data_other_than_the_content_length(client, member, declared, sent):
    fields = [("content-length", str(declared))]
    with client.batched():  # Else what was declared as nothing may be answered before it comes.
        stream = client.send_request("/length", method="POST", fields=fields, body=b"x" * sent)
    answer = client.wait_for(stream)
    assert (answer.reset, answer.status) == (PROTOCOL_ERROR, None)
    assert client.get("/after").status == 200
    for seen in [request for request in member.requests if request.target == "/length"]:
        member.wait(lambda: seen.connection.ended_by_peer, 5)
        assert declared == 0 or not seen.complete  # A head that promises nothing is complete.


@pytest.mark.parametrize("trailers, end", [
    ([("x-t", "1")], False), ([(":path", "/t")], True), ([("X-T", "1")], True),
], ids=["without_end", "pseudo", "upper_case"])  # fmt: skip
def test_T4_9_malformed_trailers_abort_the_request(client, member, trailers, end):
    stream = client.send_request("/trailers", method="POST", body=b"abc", end=False)
    client.send_block(literal_block(trailers), stream=stream, end=end)
    answer = client.wait_for(stream)
    assert (answer.reset, answer.status) == (PROTOCOL_ERROR, None)
    assert client.get("/after").status == 200
    assert not [seen for seen in member.requests if seen.target == "/trailers" and seen.complete]


def test_T4_9_a_malformed_request_is_counted(daemon, service, client):
    labels = {"lbaas_listener_id": service.listener["id"]}
    client.wait_for(client.send_block(literal_block(with_field("te", "gzip"))))
    assert client.get("/alive").status == 200
    assert daemon.metrics().total("elb_mb_l7_qps", **labels) > 0


# --- connection errors ---------------------------------------------------------------------------


def settings(**values: int) -> bytes:
    numbers = {"push": 2, "window": INITIAL_WINDOW_SIZE, "frame": MAX_FRAME_SIZE}
    return b"".join(struct.pack("!HI", numbers[key], value) for key, value in values.items())


GOOD = literal_block(pseudo_fields("/bad-frame"))
WHOLE = END_HEADERS | END_STREAM

CONNECTION_ERRORS = {
    "data_on_stream_0": (raw_frame(DATA, 0, 0, b"x"), PROTOCOL_ERROR),
    "headers_on_stream_0": (raw_frame(HEADERS, WHOLE, 0, GOOD), PROTOCOL_ERROR),
    "headers_on_an_even_stream": (raw_frame(HEADERS, WHOLE, 2, GOOD), PROTOCOL_ERROR),
    "data_on_an_idle_stream": (raw_frame(DATA, 0, 5, b"x"), PROTOCOL_ERROR),
    "reset_of_an_idle_stream": (raw_frame(RST_STREAM, 0, 5, bytes(4)), PROTOCOL_ERROR),
    "window_of_an_idle_stream": (raw_frame(WINDOW_UPDATE, 0, 5, b"\0\0\0\1"), PROTOCOL_ERROR),
    "continuation_alone": (raw_frame(CONTINUATION, END_HEADERS, 1, GOOD), PROTOCOL_ERROR),
    "other_frame_inside_headers": (
        raw_frame(HEADERS, END_STREAM, 1, GOOD) + raw_frame(PING, 0, 0, bytes(8)), PROTOCOL_ERROR),
    "push_promise_from_a_client": (
        raw_frame(PUSH_PROMISE, END_HEADERS, 1, bytes(4) + GOOD), PROTOCOL_ERROR),
    "broken_compression": (raw_frame(HEADERS, WHOLE, 1, b"\xff\xff\xff\xff\xff\xff"),
                           COMPRESSION_ERROR),
    "padding_longer_than_the_frame": (
        raw_frame(HEADERS, WHOLE | PADDED, 1, b"\xff" + GOOD), PROTOCOL_ERROR),
    "frame_over_the_maximum": (raw_frame(DATA, 0, 1, bytes(16_385)), FRAME_SIZE_ERROR),
    "ping_of_7_bytes": (raw_frame(PING, 0, 0, bytes(7)), FRAME_SIZE_ERROR),
    "ping_on_a_stream": (raw_frame(PING, 0, 1, bytes(8)), PROTOCOL_ERROR),
    "settings_of_5_bytes": (raw_frame(SETTINGS, 0, 0, bytes(5)), FRAME_SIZE_ERROR),
    "settings_on_a_stream": (raw_frame(SETTINGS, 0, 1, b""), PROTOCOL_ERROR),
    "settings_push_2": (raw_frame(SETTINGS, 0, 0, settings(push=2)), PROTOCOL_ERROR),
    "settings_window_2_to_31": (
        raw_frame(SETTINGS, 0, 0, settings(window=1 << 31)), FLOW_CONTROL_ERROR),
    "settings_frame_16383": (raw_frame(SETTINGS, 0, 0, settings(frame=16_383)), PROTOCOL_ERROR),
    "window_of_0_on_the_connection": (raw_frame(WINDOW_UPDATE, 0, 0, bytes(4)), PROTOCOL_ERROR),
    "window_over_2_to_31": (
        raw_frame(WINDOW_UPDATE, 0, 0, b"\x7f\xff\xff\xff"), FLOW_CONTROL_ERROR),
    "window_of_3_bytes": (raw_frame(WINDOW_UPDATE, 0, 0, bytes(3)), FRAME_SIZE_ERROR),
    "reset_of_3_bytes": (
        raw_frame(HEADERS, WHOLE, 1, GOOD) + raw_frame(RST_STREAM, 0, 1, bytes(3)),
        FRAME_SIZE_ERROR),
    "goaway_on_a_stream": (raw_frame(GOAWAY, 0, 1, bytes(8)), PROTOCOL_ERROR),
}


@pytest.mark.parametrize("name", CONNECTION_ERRORS)
def test_4_4_a_connection_error_is_goaway_with_its_code(service, name):
    data, code = CONNECTION_ERRORS[name]
    with service.h2() as client:
        client.read_until(lambda: client.settings)
        client.raw.send_quietly(data)
        client.expect_goaway(code)
    assert service.get("/after").status == 200


def test_4_4_a_used_stream_number_is_never_a_request_again(client, member):
    """RFC 9113 5.1.1 asks for a connection error; nghttp2 may discard it as a late frame."""
    client.get("/1")
    client.get("/2")
    client.raw.send_quietly(raw_frame(HEADERS, WHOLE, 1, GOOD))
    client.send_ping()
    client.read_until(lambda: client.goaway or client.pings)
    if client.goaway:
        assert client.goaway.error_code in (PROTOCOL_ERROR, STREAM_CLOSED)
    assert member.targets == ["/1", "/2"]


def test_4_4_data_beyond_the_windows_is_a_flow_control_error(client, member):
    member.set(modes.stop_reading())
    stream = client.send_request(method="POST", end=False)
    member.wait_for_requests(1)
    with client.batched():
        for _ in range(200):
            client.send_data(stream, bytes(16_384), end=False)
    known = client.streams[stream]
    client.read_until(lambda: known.done or client.goaway)
    code = client.goaway.error_code if client.goaway else known.reset
    assert code == FLOW_CONTROL_ERROR


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + bytes(64),
], ids=["http_1", "almost_the_preface"])  # fmt: skip
def test_4_4_a_wrong_preface_ends_the_connection(service, member, data):
    with service.h2(preface=False) as client:
        client.raw.send(data)
        end = client.read_until_end()
    assert end is not None
    assert member.requests == []


# --- what is ignored -----------------------------------------------------------------------------


def test_4_4_priority_padding_and_unknown_frames_change_nothing(client, member):
    client.send_raw_frame(PRIORITY, 0, 7, b"\0\0\0\0\x10")
    client.send_raw_frame(0xBB, 0xFF, 0, b"unknown")
    client.send_raw_frame(0xBB, 0xFF, 9, b"unknown")
    client.send_raw_frame(SETTINGS, 0, 0, struct.pack("!HI", 0xABCD, 7))
    stream, block = client.new_stream(), client.encoder.encode(pseudo_fields("/padded", "POST"))
    payload = b"\x03" + b"\0\0\0\0\x20" + block + bytes(3)
    client.send_raw_frame(HEADERS, END_HEADERS | PADDED | WITH_PRIORITY, stream, payload)
    client.send_raw_frame(DATA, END_STREAM | PADDED, stream, b"\x05" + b"abc" + bytes(5))
    assert client.wait_for(stream).json()["body_len"] == 3
    assert member.requests[0].body == b"abc"


def test_4_4_a_field_section_in_pieces_is_one(client, member):
    block = client.encoder.encode([*pseudo_fields("/pieces"), ("x-long", "y" * 100)])
    assert client.wait_for(client.send_block(block, piece=20)).status == 200
    assert member.requests[0].get("x-long") == "y" * 100


def test_4_4_data_on_a_closed_stream_leaves_the_others_alone(client):
    """RFC 9113 5.1: STREAM_CLOSED, of the stream or of the connection, or ignored after a reset."""
    stream = client.send_request(method="POST", end=False)
    client.send_reset(stream)
    client.send_data(stream, b"late", end=False)
    assert client.get("/after").status == 200


def test_4_4_a_reset_stream_cancels_its_upstream_request(client, member):
    member.set(modes.by_target({"/hang": modes.hang()}))
    stream = client.send_request("/hang")
    (seen,) = member.wait_for_requests(1)
    client.send_reset(stream, CANCEL)
    member.wait(lambda: seen.connection.ended_by_peer, 5)
    assert client.get("/after").status == 200


def test_4_4_small_windows_of_the_client_are_respected(service, member):
    member.set(modes.fixed(b"x" * 100_000))
    with service.h2(settings={INITIAL_WINDOW_SIZE: 10}) as client:
        client.auto_window = False
        stream = client.send_request()
        client.read_until(lambda: client.streams[stream].body_len >= 10)
        client.ping()
        assert client.streams[stream].body_len == 10
        client.send_window(stream, 60_000)
        client.read_until(lambda: client.streams[stream].body_len >= 60_010)
        client.send_window(stream, 1 << 20)
        client.read_until(lambda: client.streams[stream].body_len >= 65_535)
        client.ping()
        assert client.streams[stream].body_len == 65_535
        client.send_window(0, 1 << 20)
        assert client.wait_for(stream).body_len == 100_000


def in_continuations(client, count: int) -> int:
    """A request whose field section is a HEADERS frame and so many CONTINUATIONs."""
    block = literal_block([*pseudo_fields("/pieces"), ("x", "y" * 100)])
    stream, pieces = client.new_stream(), [block[i : i + 1] for i in range(count - 1)]
    client.send_raw_frame(HEADERS, END_STREAM, stream, b"")
    for piece in pieces:
        client.send_raw_frame(CONTINUATION, 0, stream, piece)
    client.send_raw_frame(CONTINUATION, END_HEADERS, stream, block[count - 1 :])
    return stream


def test_4_4_16_continuations_are_accepted(client):
    assert client.wait_for(in_continuations(client, 16)).status == 200, client.raw.end


def test_4_4_over_16_continuations_end_the_connection(service, member):
    with service.h2(timeout=5) as client:
        in_continuations(client, 17)
        client.expect_goaway(ENHANCE_YOUR_CALM)
    assert member.requests == []


def test_4_4_over_128_KiB_of_encoded_fields_end_the_connection(service, member):
    with service.h2(timeout=5) as client:
        with client.batched():
            fields = [(f"x{number}", "y" * 16_000) for number in range(9)]
            client.send_block(literal_block([*pseudo_fields(), *fields]))
        client.expect_goaway(ENHANCE_YOUR_CALM)
    assert member.requests == []
