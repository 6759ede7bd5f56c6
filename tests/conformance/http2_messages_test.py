"""Requests and responses over HTTP/2 and their translation (data-plane.md 4.1, 4.4, 4.7, 4.8)."""

from __future__ import annotations

import itertools

import pytest

from rig import modes
from rig.h2client import (
    INTERNAL_ERROR,
    MAX_CONCURRENT_STREAMS,
    MAX_HEADER_LIST_SIZE,
    NO_ERROR,
    PROTOCOL_ERROR,
    literal_block,
    pseudo_fields,
)
from rig.timing import wait_until

KIB = 1024
MIB = 1024 * KIB
HEADER_LIST_BYTES_MAX = 64 * KIB
TARGET_BYTES_MAX = 16 * KIB
FIELDS_MAX = 256
BODY_BYTES_MAX = 10_737_418_240
METHODS_ALLOWED = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"
XFF_MODE = "X-Forwarded-For-Processing-Mode"
CLIENT = "127.0.0.1"
_unique = itertools.count()


def unique(word: str) -> str:
    return f"/h2-{word}-{next(_unique)}-"


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
    with service.h2(source=CLIENT) as connected:
        yield connected


def test_4_4_the_settings_of_the_contract(client):
    client.get()
    expected = {MAX_CONCURRENT_STREAMS: 128, 4: 262_144, MAX_HEADER_LIST_SIZE: 65_536}
    assert {key: client.settings.get(key) for key in expected} == expected
    assert client.settings.get(5, 16_384) == 16_384
    assert client.settings.get(1, 4_096) == 4_096
    assert 2 not in client.settings, "ENABLE_PUSH"
    assert client.window == 1 * MIB, "the connection's window"


# --- T4.1: translation to HTTP/1.1 ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_T4_1_no_body_no_framing(client, member, method):
    assert client.get("/x", method=method).status == 200
    (seen,) = member.requests
    assert (seen.head.start, seen.get("host")) == (f"{method} /x HTTP/1.1", "a.test")
    assert (seen.get("content-length"), seen.get("transfer-encoding")) == (None, None)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_T4_1_no_body_on_other_methods_is_length_0(client, member, method):
    assert client.get(method=method).status == 200
    (seen,) = member.requests
    assert seen.get_all("content-length") == ["0"]
    assert seen.get("transfer-encoding") is None


def test_T4_1_a_body_with_length_keeps_it(client, member):
    client.get(method="POST", fields=[("content-length", "5")], body=b"abcde")
    (seen,) = member.requests
    assert (seen.get_all("content-length"), seen.body) == (["5"], b"abcde")
    assert seen.get("transfer-encoding") is None


def test_T4_1_a_body_without_length_is_chunked(client, member):
    client.get(method="POST", body=b"abcde")
    (seen,) = member.requests
    assert (seen.get_all("transfer-encoding"), seen.body) == (["chunked"], b"abcde")
    assert seen.get("content-length") is None


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_T4_1_a_body_on_any_method_is_relayed(client, member, method):
    client.get(method=method, fields=[("content-length", "3")], body=b"abc")
    (seen,) = member.requests
    assert (seen.body, seen.complete) == (b"abc", True)


def test_T4_1_request_trailers_end_a_body_and_are_relayed(client, member):
    stream = client.send_request(method="POST", body=b"abc", end=False)
    client.send_headers([("x-sum", "6"), ("x_forwarded_for", "1")], stream=stream)
    assert client.wait_for(stream).json()["body_len"] == 3
    assert member.requests[0].complete
    assert member.requests[0].trailers == [("x-sum", "6")]


def test_T4_1_cookie_crumbs_are_joined(client, member):
    client.get(fields=[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3; d=4")])
    assert member.requests[0].get_all("cookie") == ["a=1; b=2; c=3; d=4"]


def test_T4_1_names_are_lower_case_and_in_order(client, member):
    client.get(fields=[("b-b", "1"), ("a-a", "2"), ("b-b", "3")])
    ours = [pair for pair in member.requests[0].headers if pair[0] in ("a-a", "b-b")]
    assert ours == [("b-b", "1"), ("a-a", "2"), ("b-b", "3")]


def test_T4_1_authority_and_an_equal_host_are_one_host(client, member):
    assert client.get(authority="a.test:81", fields=[("host", "a.test:81")]).status == 200
    assert member.requests[0].get_all("host") == ["a.test:81"]


def test_T4_1_host_stands_in_for_authority(client, member):
    fields = [(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "only.test")]
    assert client.wait_for(client.send_headers(fields)).status == 200
    assert member.requests[0].get_all("host") == ["only.test"]


@pytest.mark.parametrize("fields", [
    [*pseudo_fields(), ("host", "b.test")],
    [(":method", "GET"), (":scheme", "https"), (":path", "/")],
], ids=["host_differs_from_authority", "neither_host_nor_authority"])  # fmt: skip
def test_T4_1_a_doubtful_host_is_400(client, member, fields):
    assert client.wait_for(client.send_headers(fields)).status == 400
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


@pytest.mark.parametrize("fields", [
    [(":method", "CONNECT"), (":authority", "a.test:443")],
    pseudo_fields(method="TRACE"),
], ids=["connect", "trace"])  # fmt: skip
def test_T4_1_connect_and_trace_are_405(client, member, fields):
    answer = client.wait_for(client.send_headers(fields))
    assert (answer.status, answer.get("allow")) == (405, METHODS_ALLOWED)
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


@pytest.mark.parametrize("path", [
    *[b"/a" + bytes([byte]) + b"b" for byte in (0x00, 0x09, 0x0A, 0x0D, 0x1F, 0x20, 0x7F)],
    b"/a#b", b"/a%00b",
], ids=repr)  # fmt: skip
def test_T4_1_a_bad_target_reaches_nobody(client, member, path):
    """4.2; HTTP/2 may say it by a 400 or as a malformed request (RFC 9113 8.1.1)."""
    answer = client.wait_for(client.send_headers(pseudo_fields(path)))
    assert answer.status == 400 or answer.reset == PROTOCOL_ERROR
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


def test_T4_1_odd_but_legal_targets_are_relayed_raw(client, member):
    targets = [b"/\xe4\xff", b"/a{}|\\^`\"<>%zz", b"/a/../b/./c//d?e?f", b"*"]
    for target in targets:
        method = "OPTIONS" if target == b"*" else "GET"
        fields = [(":method", method), (":scheme", "https"), (":authority", "a.test"),
                  (b":path", target)]  # fmt: skip
        assert client.wait_for(client.send_block(literal_block(fields))).status == 200, target
    assert [target.encode("latin-1") for target in member.targets] == targets


def test_T4_1_managed_names_with_underscore_are_dropped(client, member):
    client.get(fields=[("x_forwarded_for", "9.9.9.9"), ("content_length", "5"), ("my_field", "1")])
    (seen,) = member.requests
    assert [name for name, _ in seen.headers if "_" in name] == ["my_field"]
    assert seen.get_all("x-forwarded-for") == [CLIENT]


# --- T4.3, T4.4: sizes ---------------------------------------------------------------------------


def list_of(size: int) -> list:
    """Fields whose decoded size (RFC 9113 6.5.2: 32 bytes for each field) is `size`."""
    fields = [*pseudo_fields(), ("x", "")]
    left = size - sum(len(name) + len(value) + 32 for name, value in fields)
    return [*fields[:-1], ("x", "y" * left)]


def test_T4_3_a_field_section_of_64_KiB_passes(client, member):
    assert client.wait_for(client.send_headers(list_of(HEADER_LIST_BYTES_MAX))).status == 200
    assert len(member.requests[0].get("x")) > 65_000


@pytest.mark.parametrize("fields", [
    list_of(HEADER_LIST_BYTES_MAX + 1),
    [*pseudo_fields(), *[(f"x-{number}", "y" * 10_000) for number in range(8)]],
    pytest.param(list_of(HEADER_LIST_BYTES_MAX + 10_000), marks=pytest.mark.xfail(
        strict=True, reason="libnghttp2 itself ends a connection whose single field passes 64 KiB")),
], ids=["one_byte_more", "eight_fields", "one_value_over_64_KiB"])  # fmt: skip
def test_T4_3_a_larger_field_section_is_400_on_its_stream(client, member, fields):
    assert client.wait_for(client.send_headers(fields)).status == 400
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


@pytest.mark.parametrize("excess, status", [(0, 200), (1, 414)])
def test_T4_3_the_target_has_16_KiB(client, member, excess, status):
    assert client.get("/" + "t" * (TARGET_BYTES_MAX - 1 + excess)).status == status
    assert len(member.requests) == (status == 200)
    assert client.get("/after").status == 200


@pytest.mark.parametrize("count, status", [(FIELDS_MAX - 4, 200), (FIELDS_MAX + 1, 400)])
def test_T4_3_there_are_256_fields(client, member, count, status):
    assert client.get(fields=[(f"x-{n}", "y") for n in range(count)]).status == status
    assert len(member.requests) == (status == 200)
    assert client.get("/after").status == 200


def test_T4_3_a_response_head_over_64_KiB_is_502(daemon, client, member):
    target = unique("head")
    member.set(modes.fixed(b"ok", [("X", "y" * 66 * KIB)]))
    assert client.get(target).status == 502
    assert daemon.access_log.wait_for(target)["error_reason"] == "backend_header_too_large"


def test_T4_4_a_body_over_10_GB_is_refused_before_any_of_it(client, member):
    fields = [("content-length", str(BODY_BYTES_MAX + 1)), ("expect", "100-continue")]
    stream = client.send_request("/big", method="POST", fields=fields, end=False)
    answer = client.wait_for_answer(stream)
    assert (answer.status, answer.informational) == (413, [])
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


def test_T4_4_a_body_without_length_that_passes_the_limit(own_daemon, backend, server_certificates):
    limited = own_daemon(config={"limits": {"request_body_bytes_max": 1 * MIB}})
    api, member = limited.api(), backend()
    certificate = api.make_certificate(server_certificates["ec"])
    service = api.make_service(api.make_lb(), [member], certificate=certificate, http2_enable=True)
    with service.h2() as client:
        fits = client.send_request("/fits", method="POST", end=False)
        assert client.upload(fits, b"x" * MIB)
        assert client.wait_for(fits).json()["body_len"] == 1 * MIB
        over = client.send_request("/over", method="POST", end=False)
        client.upload(over, b"x" * (MIB + 1))
        assert client.wait_for_answer(over).status == 413
        assert client.get("/after").status == 200
    seen = next(request for request in member.requests if request.target == "/over")
    assert not seen.complete
    member.wait(lambda: seen.connection.ended_by_peer, 5)


# --- T4.5, T4.7: fields to the backend -----------------------------------------------------------

FORWARDED = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2, 3.3.3.3")]


@pytest.mark.parametrize("mode, expected", [
    ("append", [f"1.1.1.1, 2.2.2.2, 3.3.3.3, {CLIENT}"]),
    ("preserve", ["1.1.1.1", "2.2.2.2, 3.3.3.3"]),
    ("remove", []),
])  # fmt: skip
def test_T4_5_x_forwarded_for(service, client, member, mode, expected):
    service.update_listener(insert_headers={XFF_MODE: mode})
    try:
        client.get(fields=FORWARDED)
    finally:
        service.update_listener(insert_headers={XFF_MODE: "append"})
    assert member.requests[0].get_all("x-forwarded-for") == expected


def test_T4_7_te_trailers_is_the_only_te(client, member):
    assert client.get(fields=[("te", "trailers"), ("proxy", "http://evil")]).status == 200
    (seen,) = member.requests
    assert seen.get_all("te") == ["trailers"]
    assert seen.get("proxy") is None


def test_T4_7_tls_names_from_clients_never_arrive(client, member):
    names = ["x-forwarded-tls-protocol", "x-forwarded-clientcert-subjectdn", "x-forwarded-tls-sni",
             "x_forwarded_tls_cipher", "x-forwarded-clientcert"]  # fmt: skip
    client.get(fields=[(name, "admin") for name in names])
    assert "admin" not in [value for _, value in member.requests[0].headers]


# --- T4.12: bad answers --------------------------------------------------------------------------


@pytest.mark.parametrize("data", [
    b"\x00\x01 nothing like HTTP\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
], ids=["junk", "differing_lengths"])  # fmt: skip
def test_T4_12_a_malformed_answer_is_502(daemon, client, member, data):
    target = unique("malformed")
    member.set(modes.raw(data, "hang"))
    assert client.get(target).status == 502
    member.set(modes.ok())
    assert client.get("/after").status == 200
    assert daemon.access_log.wait_for(target)["error_reason"] == "backend_bad_response"


@pytest.mark.parametrize("how", ["length", "chunked"])
def test_T4_12_a_truncated_answer_is_reset(daemon, client, member, how):
    target = unique(f"trunc{how}")
    member.set(modes.trunc() if how == "length" else modes.trunc_chunked())
    answer = client.get(target)
    assert (answer.status, answer.ended, answer.reset) == (200, False, INTERNAL_ERROR)
    member.set(modes.ok())
    assert client.get("/after").status == 200
    line = daemon.access_log.wait_for(target)
    assert (int(line["status"]), line["error_reason"]) == (200, "backend_truncated")


def test_4_8_a_close_delimited_answer_is_complete(client, member):
    member.set(modes.close_delimited(b"x" * 5000))
    answer = client.get()
    assert (answer.body, answer.ended, answer.reset) == (b"x" * 5000, True, None)


@pytest.mark.parametrize("method, status", [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_4_8_answers_without_body_relay_none(client, member, method, status):
    member.set(modes.raw(b"HTTP/1.1 %d X\r\nContent-Length: 4\r\n\r\nevil" % status))
    answer = client.get(method=method)
    assert (answer.status, answer.body, answer.ended) == (status, b"", True)


def test_4_8_hop_by_hop_fields_of_answers_end_here(client, member):
    fields = [("Connection", "X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "timeout=1"),
              ("Proxy-Connection", "x"), ("Upgrade", "h2c"), ("Server", "mine"),
              ("X-Kept", "Value")]  # fmt: skip
    member.set(modes.fixed(b"ok", fields))
    answer = client.get()
    names = [name for name, _ in answer.fields]
    assert names == [name.lower() for name in names]
    removed = {"connection", "x-hop", "keep-alive", "proxy-connection", "upgrade",
               "transfer-encoding"}  # fmt: skip
    assert not set(names) & removed
    assert (answer.get("server"), answer.get("x-kept")) == ("mine", "Value")
    assert answer.get("date")


def test_4_8_trailers_are_relayed(client, member):
    member.set(modes.chunked([b"abc", b"def"], [("X-Sum", "6"), ("X-More", "7")]))
    answer = client.get()
    assert (answer.body, answer.ended) == (b"abcdef", True)
    assert answer.trailers == [("x-sum", "6"), ("x-more", "7")]


# --- T4.15, T4.16: expectations and informational answers ----------------------------------------


def test_T4_15_a_final_answer_instead_of_100_ends_the_upload(client, member):
    member.set(modes.answer_unread(401))
    fields = [("expect", "100-continue"), ("content-length", "5")]
    stream = client.send_request("/", method="POST", fields=fields, end=False)
    answer = client.wait_for(stream)
    assert (answer.status, answer.informational, answer.body) == (401, [], b"no")
    client.read_until(lambda: answer.reset is not None)
    assert answer.reset == NO_ERROR
    (seen,) = member.requests
    assert (seen.get("expect"), seen.complete) == ("100-continue", False)


def test_T4_15_the_backends_100_is_relayed(client, member):
    member.set(modes.continue_then())
    fields = [("expect", "100-continue"), ("content-length", "5")]
    stream = client.send_request("/", method="POST", fields=fields, end=False)
    answer = client.streams[stream]
    client.read_until(lambda: answer.informational or answer.done)
    assert answer.informational_statuses == [100]
    client.send_data(stream, b"abcde")
    assert client.wait_for(stream).json()["body_len"] == 5


def test_T4_15_other_expectations_are_417(client, member):
    assert client.get(fields=[("expect", "magic")]).status == 417
    assert client.get("/after").status == 200
    assert member.targets == ["/after"]


def test_T4_16_early_hints_reach_http_2(client, member):
    member.set(modes.early_hints([("Link", "</a.css>; rel=preload")]))
    answer = client.get()
    assert (answer.status, answer.informational_statuses) == (200, [103])
    assert ("link", "</a.css>; rel=preload") in answer.informational[0]


def test_4_8_own_answers_name_the_balancer(client, member):
    answer = client.get(method="TRACE", fields=[("accept", "application/json")])
    assert (answer.get("server"), answer.get("content-type")) == ("elb", "application/json")
    assert answer.json()["status"] == 405
    assert answer.get("content-length") == str(len(answer.body))
    assert answer.get("date")


def test_a_reset_response_does_not_disturb_the_others(client, member):
    member.set(modes.by_target({"/trunc": modes.trunc()}))
    streams = [client.send_request(path) for path in ("/trunc", "/a", "/trunc", "/b")]
    client.wait_for(*streams)
    assert [client.streams[stream].ended for stream in streams] == [False, True, False, True]
    assert wait_until(lambda: len(member.requests) >= 4, 5)
