"""Header fields to the backend, expectations and informational answers (data-plane.md 4.5, 4.7)."""

from __future__ import annotations

import threading

import pytest

from rig import http1, modes
from rig.timing import check_duration, now

MODE = "X-Forwarded-For-Processing-Mode"
CLIENT = "127.0.0.1"


@pytest.fixture(params=["http", "https"])
def service(api, lb, certificate, backend, request):
    if request.param == "http":
        return api.make_service(lb, [backend()], port=8080)
    return api.make_service(lb, [backend()], port=8443, certificate=certificate)


def seen_by_backend(service, fields: http1.Fields, **more):
    """Sends one request with these fields; returns it as it arrived."""
    with service.client(source=CLIENT) as client:
        assert client.get(fields=fields, **more).status == 200
    return service.backends[0].requests[-1]


FORWARDED = [("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2, 3.3.3.3")]


def test_T4_5_append_joins_and_adds_the_peer(service):
    seen = seen_by_backend(service, FORWARDED)
    assert seen.get_all("x-forwarded-for") == [f"1.1.1.1, 2.2.2.2, 3.3.3.3, {CLIENT}"]
    seen = seen_by_backend(service, [])
    assert seen.get_all("x-forwarded-for") == [CLIENT]


def test_T4_5_preserve_leaves_two_fields_as_sent(service):
    service.update_listener(insert_headers={MODE: "preserve"})
    seen = seen_by_backend(service, FORWARDED)
    assert seen.get_all("x-forwarded-for") == ["1.1.1.1", "2.2.2.2, 3.3.3.3"]
    assert seen_by_backend(service, []).get_all("x-forwarded-for") == []


def test_T4_5_remove_deletes_all(service):
    service.update_listener(insert_headers={MODE: "remove"})
    assert seen_by_backend(service, FORWARDED).get_all("x-forwarded-for") == []


def test_T4_7_connection_cannot_nominate_managed_fields(service):
    fields = [
        ("Connection", "close, X-Forwarded-For, Cookie, X-Foo"),
        ("X-Foo", "1"),
        ("Cookie", "a=b"),
    ]
    with service.client(source=CLIENT) as client:
        answer = client.get(fields=fields)
        assert answer.status == 200 and not answer.keeps
        assert client.expect_end().orderly
    (seen,) = service.backends[0].requests
    assert seen.get_all("x-foo") == []
    assert seen.get_all("x-forwarded-for") == [CLIENT]
    assert seen.get_all("cookie") == ["a=b"]


@pytest.mark.parametrize("name", ["Host", "Content-Length", "Authorization", "X-Real-IP"])
def test_T4_7_nominating_a_protected_field_is_ignored(service, name):
    fields = [("Connection", name.lower()), ("Authorization", "Basic x"), ("X-Real-IP", "8.8.8.8")]
    seen = seen_by_backend(service, fields, method="POST", body=b"abc")
    assert seen.get("host") == "a.test"
    assert seen.body == b"abc"
    assert seen.get("authorization") == "Basic x"
    assert seen.get("x-real-ip") == "8.8.8.8"


def test_T4_7_hop_by_hop_fields_end_here(service):
    fields = [
        ("Connection", "keep-alive, TE, Upgrade, HTTP2-Settings"),
        ("Keep-Alive", "timeout=5"), ("Proxy-Connection", "keep-alive"), ("Proxy", "http://evil"),
        ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABkAAQAAP__"), ("TE", "gzip"),
    ]  # fmt: skip
    seen = seen_by_backend(service, fields)
    names = {name.lower() for name, _ in seen.headers}
    removed = {"keep-alive", "proxy-connection", "proxy", "upgrade", "http2-settings", "te"}
    assert not names & removed


def test_T4_7_te_trailers_is_sent_anew(service):
    seen = seen_by_backend(service, [("Connection", "TE"), ("TE", "trailers, deflate;q=0.5")])
    assert seen.get_all("te") == ["trailers"]


@pytest.mark.parametrize("framing", [
    [("Transfer-Encoding", "chunked")],
    [("Transfer-Encoding", "chunked"), ("Connection", "TE"), ("TE", "trailers")],
], ids=["chunked", "te"])  # fmt: skip
def test_4_3_request_trailers_are_relayed(service, framing):
    """RFC 9110 6.5: they belong to the message; names that the load balancer manages do not."""
    body = b"3\r\nabc\r\n0\r\nX-Sum: 6\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n"
    with service.client() as client:
        client.send(http1.request("/", "POST", fields=framing, body=body))
        assert client.read_response().status == 200
        assert client.get("/after").status == 200
    seen = service.backends[0].requests[0]
    assert (seen.body, seen.complete, seen.trailers) == (b"abc", True, [("X-Sum", "6")])


def test_T4_7_other_fields_are_relayed(service):
    fields = [
        ("Via", "1.0 x"), ("Forwarded", "for=1.2.3.4"), ("traceparent", "00-a-b-01"),
        ("Accept-Encoding", "br"), ("Proxy-Authorization", "Basic y"), ("X-Forwarded-Proto", "z"),
    ]  # fmt: skip
    seen = seen_by_backend(service, fields)
    for name, value in fields:
        assert seen.get_all(name) == [value]


def test_T4_7_tls_names_from_clients_never_arrive(service):
    names = ["X-Forwarded-TLS-Protocol", "x-forwarded-clientcert-subjectdn",
             "X-Forwarded-Tls-Sni", "X_Forwarded_TLS_Cipher", "X-Forwarded-Clientcert"]  # fmt: skip
    seen = seen_by_backend(service, [(name, "admin") for name in names])
    assert "admin" not in [value for _, value in seen.headers]


def test_T4_7_toggles_set_exactly_one_field_each(service):
    toggles = ["X-Forwarded-ELB-IP", "X-Forwarded-Port", "X-Forwarded-For-Port",
               "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "X-Forwarded-ELB-ID"]  # fmt: skip
    service.update_listener(insert_headers={name: True for name in toggles})
    forged = [(name.lower(), "forged") for name in toggles] * 2
    with service.client(source=CLIENT) as client:
        port = client.socket.getsockname()[1]
        client.get(host="a.test:81", fields=forged)
    (seen,) = service.backends[0].requests
    expected = [service.address, str(service.port), str(port), "a.test:81", service.scheme,
                CLIENT, service.lb["id"]]  # fmt: skip
    assert [seen.get_all(name) for name in toggles] == [[value] for value in expected]


def test_T4_15_a_final_answer_instead_of_100_is_relayed_and_the_body_never_sent(service):
    member = service.backends[0]
    member.set(modes.answer_unread(401))
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    with service.client() as client:
        answer = client.exchange(http1.request("/", "POST", fields=fields), "POST")
    assert (answer.status, answer.informational, answer.body) == (401, [], b"no")
    (seen,) = member.requests
    assert seen.get("expect") == "100-continue"
    assert not seen.complete


def test_T4_15_the_backends_100_is_relayed(service):
    service.backends[0].set(modes.continue_then())
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    with service.client() as client:
        client.send(http1.request("/", "POST", fields=fields))
        head = client.reader.head()
        assert head.start.startswith("HTTP/1.1 100")
        client.send(b"abcde")
        assert client.read_response("POST").json()["body_len"] == 5


def test_T4_15_a_body_sent_without_waiting_follows_after_a_second(service):
    """The backend shows nothing: it gets the body one second after the head."""
    member = service.backends[0]
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    before = now()
    with service.client() as client:
        client.send(http1.request("/", "POST", fields=fields, body=b"abcde"))
        assert client.read_response("POST").json()["body_len"] == 5
    (seen,) = member.requests
    check_duration(seen.finished_at - before, 1.0)


def test_T4_15_other_expectations_are_417(service):
    with service.client() as client:
        assert client.get(fields=[("Expect", "200-ok")]).status == 417
        assert client.get("/kept").status == 200
        answer = client.get(method="POST", fields=[("Expect", "magic")], body=b"abc")
        assert answer.status == 417
        assert client.expect_end().orderly
    assert service.backends[0].targets == ["/kept"]


def test_an_early_answer_ends_the_upload(service):
    """4.5: a final response before the body is complete is relayed, then the connection closes."""
    gate = threading.Event()
    service.backends[0].set(modes.answer_unread(403))
    with service.client() as client:
        client.send(http1.request("/", "POST", fields=[("Content-Length", "1000000")]))
        answer = client.read_response("POST")
        assert (answer.status, answer.keeps) == (403, False)
        client.send_quietly(b"x" * 1000)
        assert client.expect_end().orderly
    gate.set()


HINTS = [("Link", "</a.css>; rel=preload")]


def test_T4_16_early_hints_reach_http_1_1(service):
    service.backends[0].set(modes.early_hints(HINTS))
    with service.client() as client:
        answer = client.get()
    assert (answer.status, answer.informational_statuses) == (200, [103])
    assert answer.informational[0].get("link") == HINTS[0][1]


def test_T4_16_early_hints_do_not_reach_http_1_0(service):
    service.backends[0].set(modes.early_hints(HINTS))
    with service.client() as client:
        answer = client.exchange(b"GET / HTTP/1.0\r\nHost: a.test\r\n\r\n")
    assert (answer.status, answer.informational) == (200, [])
