"""The rows of data-plane.md 4.2 and 4.3 as bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

from rig.backend import Recorded

HOST = b"Host: a.test\r\n"
END = b"\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"
METHODS_ALLOWED = "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS"


@dataclass
class Refused:
    """A request that no backend may see whole, with the status of the answer."""

    name: str
    data: bytes
    status: int = 400
    head_is_good: bool = False  #: The fault is in the body: a backend may have seen the head.

    def __str__(self) -> str:
        return self.name


def line(data: bytes, fields: bytes = HOST) -> bytes:
    return data + b"\r\n" + fields + END


def with_field(data: bytes, method: bytes = b"GET") -> bytes:
    return method + b" / HTTP/1.1\r\n" + HOST + data + b"\r\n" + END


def host(value: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: " + value + b"\r\n\r\n"


def post(fields: bytes, body: bytes = b"") -> bytes:
    return b"POST / HTTP/1.1\r\n" + HOST + fields + b"\r\n\r\n" + body


def chunked(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body)


REQUEST_LINES = [
    Refused("major_version_2", line(b"GET / HTTP/2.0"), 505),
    Refused("major_version_3", line(b"GET / HTTP/3.0"), 505),
    Refused("major_version_0", line(b"GET / HTTP/0.9"), 505),
    Refused("http2_preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Refused("http_0_9", b"GET /\r\n\r\n"),
    Refused("version_in_lower_case", line(b"GET / http/1.1")),
    Refused("version_without_minor", line(b"GET / HTTP/1")),
    Refused("version_with_two_digits", line(b"GET / HTTP/1.10")),
    Refused("version_with_garbage", line(b"GET / HTTP/1.1x")),
    Refused("other_protocol", line(b"GET / HTTQ/1.1")),
    Refused("connect", line(b"CONNECT a.test:443 HTTP/1.1"), 405),
    Refused("method_of_33_bytes", line(b"M" * 33 + b" / HTTP/1.1")),
    Refused("method_is_no_token", line(b"GE@T / HTTP/1.1")),
    Refused("method_missing", line(b" / HTTP/1.1")),
    Refused("three_empty_lines", b"\r\n\r\n\r\n" + line(b"GET / HTTP/1.1")),
    Refused("two_spaces_before_target", line(b"GET  / HTTP/1.1")),
    Refused("two_spaces_before_version", line(b"GET /  HTTP/1.1")),
    Refused("space_after_version", line(b"GET / HTTP/1.1 ")),
    Refused("tab_for_space", line(b"GET\t/ HTTP/1.1")),
    Refused("space_missing", line(b"GET/ HTTP/1.1")),
    Refused("bare_lf_after_request_line", b"GET / HTTP/1.1\n" + HOST + END),
    Refused("bare_cr_in_request_line", line(b"GET /\r HTTP/1.1")),
]

TARGETS = [
    Refused(f"target_with_byte_{byte:02x}", line(b"GET /a" + bytes([byte]) + b"b HTTP/1.1"))
    for byte in (*range(0x00, 0x0A), 0x0B, 0x0C, *range(0x0E, 0x21), 0x7F)
] + [
    Refused("target_with_fragment", line(b"GET /a#b HTTP/1.1")),
    Refused("percent_00_in_path", line(b"GET /a%00b HTTP/1.1")),
    Refused("authority_form", line(b"GET a.test:80 HTTP/1.1")),
    Refused("relative_target", line(b"GET a/b HTTP/1.1")),
    Refused("asterisk_with_get", line(b"GET * HTTP/1.1")),
    Refused("absolute_form_with_userinfo", line(b"GET http://u:p@a.test/ HTTP/1.1")),
    Refused("absolute_form_with_empty_host", line(b"GET http:///a HTTP/1.1")),
    Refused("absolute_form_of_other_scheme", line(b"GET ftp://a.test/ HTTP/1.1")),
]

FIELDS = [
    Refused("bare_lf_after_field", b"GET / HTTP/1.1\r\n" + HOST + b"X: y\n" + END),
    Refused("bare_lf_as_end", b"GET / HTTP/1.1\r\n" + HOST + b"\n"),
    Refused("bare_cr_in_value", with_field(b"X: a\rb")),
    Refused("obs_fold", with_field(b"X: a\r\n b")),
    Refused("obs_fold_with_tab", with_field(b"X: a\r\n\tb")),
    Refused("fold_before_first_field", b"GET / HTTP/1.1\r\n X: y\r\n" + HOST + END),
    Refused("space_before_colon", with_field(b"X : y")),
    Refused("tab_before_colon", with_field(b"X\t: y")),
    Refused("name_empty", with_field(b": y")),
    Refused("name_with_space", with_field(b"X Y: z")),
    Refused("name_is_no_token", with_field(b"X(Y): z")),
    Refused("name_with_high_byte", with_field(b"X\xff: z")),
    Refused("colon_missing", with_field(b"XY")),
    *[
        Refused(f"value_with_byte_{byte:02x}", with_field(b"X: a" + bytes([byte]) + b"b"))
        for byte in (0x00, 0x01, 0x08, 0x0B, 0x0C, 0x1F, 0x7F)
    ],
]

HOSTS = [
    Refused("host_missing", b"GET / HTTP/1.1\r\nX: y\r\n\r\n"),
    Refused("host_twice_and_equal", b"GET / HTTP/1.1\r\n" + HOST + HOST + END),
    Refused("host_twice", b"GET / HTTP/1.1\r\n" + HOST + b"Host: b.test\r\n\r\n"),
    Refused("host_empty", host(b"")),
    *[
        Refused(f"host_{name}", host(value))
        for name, value in {
            "with_space": b"a b", "with_slash": b"a/b", "with_at": b"a@b", "with_comma": b"a,b",
            "with_query": b"a?b", "with_backslash": b"a\\b", "with_high_byte": b"a\xe9",
            "port_is_no_number": b"a:x", "port_negative": b"a:-1", "port_too_large": b"a:65536",
            "two_ports": b"a:1:2", "bracket_unclosed": b"[::1",
        }.items()  # fmt: skip
    ],
]

FRAMING = [
    Refused("length_and_chunked",
            post(b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"0\r\n\r\n")),
    Refused("chunked_and_length",
            post(b"Transfer-Encoding: chunked\r\nContent-Length: 3", b"0\r\n\r\n")),
    Refused("identity_and_length",
            post(b"Transfer-Encoding: identity\r\nContent-Length: 3", b"abc")),
    Refused("length_twice_and_equal",
            post(b"Content-Length: 3\r\nContent-Length: 3", b"abc")),
    Refused("length_twice", post(b"Content-Length: 3\r\nContent-Length: 4", b"abc")),
    *[
        Refused(f"length_{name}", post(b"Content-Length: " + value, b"abc"))
        for name, value in {
            "list": b"3, 3", "plus": b"+3", "minus": b"-3", "hex": b"0x3", "space_inside": b"3 0",
            "empty": b"", "word": b"three", "fraction": b"3.0", "2_to_63": b"9223372036854775808",
            "huge": b"9" * 40,
        }.items()  # fmt: skip
    ],
    Refused("length_2_to_63_minus_1", post(b"Content-Length: 9223372036854775807"), 413),
    Refused("chunked_twice_in_one_field", post(b"Transfer-Encoding: chunked, chunked")),
    Refused("chunked_not_last", post(b"Transfer-Encoding: chunked, gzip")),
    Refused("coding_field_repeated",
            post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n")),
    Refused("coding_field_repeated_with_identity",
            post(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", b"0\r\n\r\n")),
    Refused("coding_unknown", post(b"Transfer-Encoding: gzip"), 501),
    Refused("coding_unknown_then_chunked", post(b"Transfer-Encoding: gzip, chunked"), 501),
    Refused("coding_misspelt", post(b"Transfer-Encoding: xchunked"), 501),
    Refused("coding_name_with_space", post(b"Transfer-Encoding : chunked", b"0\r\n\r\n")),
    Refused("coding_in_1_0",
            b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
]

CHUNKS = [
    Refused(f"chunk_{name}", chunked(body), head_is_good=True)
    for name, body in {
        "size_is_no_number": b"g\r\nabc\r\n0\r\n\r\n",
        "size_empty": b"\r\nabc\r\n0\r\n\r\n",
        "size_0x": b"0x3\r\nabc\r\n0\r\n\r\n",
        "size_negative": b"-3\r\nabc\r\n0\r\n\r\n",
        "size_plus": b"+3\r\nabc\r\n0\r\n\r\n",
        "size_17_digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
        "size_with_space_before": b" 3\r\nabc\r\n0\r\n\r\n",
        "size_with_space_inside": b"3 3\r\nabc\r\n0\r\n\r\n",
        "size_ends_in_lf": b"3\nabc\r\n0\r\n\r\n",
        "size_ends_in_cr": b"3\rabc\r\n0\r\n\r\n",
        "extension_with_lf": b"3;x\n\r\nabc\r\n0\r\n\r\n",
        "data_too_long": b"3\r\nabcd\r\n0\r\n\r\n",
        "data_ends_in_lf": b"3\r\nabc\n0\r\n\r\n",
        "data_ends_in_cr": b"3\r\nabc\r0\r\n\r\n",
        "extensions_over_16_KiB": b"3;x=" + b"y" * 17_000 + b"\r\nabc\r\n0\r\n\r\n",
        "many_extensions_over_16_KiB": (b"1;x=" + b"y" * 170 + b"\r\na\r\n") * 100 + b"0\r\n\r\n",
        "trailers_over_16_KiB": b"0\r\nX: " + b"y" * 17_000 + b"\r\n\r\n",
        "trailer_malformed": b"0\r\nX : y\r\n\r\n",
        "trailer_with_bare_lf": b"0\r\nX: y\n\r\n",
    }.items()
]

REFUSED = REQUEST_LINES + TARGETS + FIELDS + HOSTS + FRAMING + CHUNKS


@dataclass
class Accepted:
    """A request that is relayed, and what the backend has to see."""

    name: str
    data: bytes
    target: bytes = b"/"
    check: Callable[[Recorded], object] = field(default=lambda request: True)

    def __str__(self) -> str:
        return self.name


def body_is(size: int) -> Callable[[Recorded], bool]:
    return lambda request: request.complete and request.body_len == size


def start_is(start: str) -> Callable[[Recorded], bool]:
    return lambda request: request.head.start == start


ACCEPTED = [
    Accepted("http_1_1", line(b"GET /a?b=c HTTP/1.1"), b"/a?b=c"),
    Accepted("http_1_7", line(b"GET / HTTP/1.7"), check=start_is("GET / HTTP/1.1")),
    Accepted("http_1_0", line(b"GET / HTTP/1.0"), check=start_is("GET / HTTP/1.1")),
    Accepted("method_in_lower_case", line(b"get / HTTP/1.1"), check=start_is("get / HTTP/1.1")),
    Accepted("method_of_webdav", line(b"PROPFIND / HTTP/1.1"),
             check=start_is("PROPFIND / HTTP/1.1")),
    Accepted("method_of_32_bytes", line(b"M" * 32 + b" / HTTP/1.1"),
             check=start_is("M" * 32 + " / HTTP/1.1")),
    Accepted("method_of_token_characters", line(b"!#$%&'*+-.^_`|~ / HTTP/1.1")),
    Accepted("one_empty_line_before", b"\r\n" + line(b"GET / HTTP/1.1")),
    Accepted("two_empty_lines_before", b"\r\n\r\n" + line(b"GET / HTTP/1.1")),
    Accepted("target_with_high_byte", line(b"GET /\xe4\xff HTTP/1.1"), b"/\xe4\xff"),
    Accepted("target_with_odd_characters", line(b"GET /a{}|\\^`\"<>%zz HTTP/1.1"),
             b"/a{}|\\^`\"<>%zz"),
    Accepted("target_with_dot_segments", line(b"GET /a/../b/./c//d HTTP/1.1"), b"/a/../b/./c//d"),
    Accepted("absolute_form_http", line(b"GET http://z.test/q?r HTTP/1.1"), b"/q?r",
             lambda request: request.get_all("host") == ["z.test"]),
    Accepted("absolute_form_https", line(b"GET https://z.test:444/q HTTP/1.1"), b"/q",
             lambda request: request.get_all("host") == ["z.test:444"]),
    Accepted("absolute_form_without_path", line(b"GET http://z.test HTTP/1.1"), b"/"),
    Accepted("options_asterisk", line(b"OPTIONS * HTTP/1.1"), b"*"),
    Accepted("host_with_port", host(b"a.test:8080"),
             check=lambda request: request.get("host") == "a.test:8080"),
    Accepted("host_is_ipv6", host(b"[2001:db8::1]:80"),
             check=lambda request: request.get("host") == "[2001:db8::1]:80"),
    Accepted("tab_in_value", with_field(b"X: a\tb"),
             check=lambda request: request.get("x") == "a\tb"),
    Accepted("high_bytes_in_value", with_field(b"X: \xe4\xff"),
             check=lambda request: request.get("x") == "\xe4\xff"),
    Accepted("value_empty", with_field(b"X:"), check=lambda request: request.get("x") == ""),
    Accepted("value_with_space_around", with_field(b"X:  \t a b \t "),
             check=lambda request: request.get("x") == "a b"),
    Accepted("order_and_case_of_fields", with_field(b"b-B: 1\r\nA-a: 2\r\nB-b: 3"),
             check=lambda request: [pair for pair in request.headers
                                    if pair[0].lower() in ("a-a", "b-b")]
             == [("b-B", "1"), ("A-a", "2"), ("B-b", "3")]),
    Accepted("chunked", chunked(b"3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n"),
             check=body_is(13)),
    Accepted("chunked_in_capitals", post(b"Transfer-Encoding: CHUNKED", b"3\r\nabc\r\n0\r\n\r\n"),
             check=body_is(3)),
    Accepted("chunk_size_of_16_digits", chunked(b"0000000000000003\r\nabc\r\n0\r\n\r\n"),
             check=body_is(3)),
    Accepted("chunked_with_trailers", chunked(b"3\r\nabc\r\n0\r\nX-T: y\r\n\r\n"),
             check=body_is(3)),
    Accepted("identity_alone", post(b"Transfer-Encoding: identity"),
             check=lambda request: not request.get("transfer-encoding")
             and request.body_len == 0),
    *[
        Accepted(f"body_on_{method.decode()}",
                 method + b" / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
                 check=body_is(3))
        for method in (b"GET", b"HEAD", b"DELETE", b"POST", b"PUT")
    ],
    Accepted("length_0", post(b"Content-Length: 0"), check=body_is(0)),
    Accepted("managed_name_with_underscore_dropped",
             with_field(b"X_Forwarded_For: 9.9.9.9\r\nX_Real_IP: 9.9.9.9\r\nx-forwarded_for: 8\r\n"
                        b"Content_Length: 5\r\nTransfer_Encoding: chunked"),
             check=lambda request: not [name for name, _ in request.headers if "_" in name]),
    Accepted("other_name_with_underscore_relayed", with_field(b"My_Field: 1"),
             check=lambda request: request.get("my_field") == "1"),
]  # fmt: skip
