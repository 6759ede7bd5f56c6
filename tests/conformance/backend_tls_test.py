"""TLS to members: pools of protocol HTTPS (data-plane.md 2.9)."""

from __future__ import annotations

import itertools
import ssl

import pytest

from rig import certs, modes
from rig.timing import check_duration, now

_unique = itertools.count()


@pytest.fixture
def make(api, lb, certificate, backend):
    """`make(member, …)`: an HTTPS listener with an HTTPS pool."""

    def build(*members, **listener):
        return api.make_service(lb, members, port=8443, certificate=certificate,
                                pool={"protocol": "HTTPS"}, **listener)

    return build


@pytest.fixture
def tls_backend(backend):
    """`tls_backend(issued)`: a member that speaks TLS with this certificate."""

    def make_one(issued=None, **options):
        context = certs.server_context(issued or certs.self_signed("backend.test"),
                                       alpn=options.pop("alpn", None))
        return backend(tls=context, **options)

    return make_one


def unique(word: str) -> str:
    return f"/{word}-{next(_unique)}-"


@pytest.mark.parametrize("http2", [False, True], ids=["http_1", "http_2"])
def test_T2_9_an_expired_self_signed_backend_is_accepted(make, tls_backend, http2):
    member = tls_backend(certs.expired("other.test"), alpn=["h2", "http/1.1"])
    service = make(member, http2_enable=http2)

    def ask(host: str) -> None:
        if not http2:
            assert service.get(host=host).status == 200
            return
        with service.h2() as client:
            assert client.get(authority=host).status == 200

    hosts = ["www.a.com", "WWW.B.com:8443", "10.0.0.1", "10.0.0.1:443", "[2001:db8::1]:443"]
    for host in hosts:
        ask(host)
    names = [seen.connection.sni and seen.connection.sni.lower() for seen in member.requests]
    assert names == ["www.a.com", "www.b.com", None, None, None]
    assert [seen.get("host") for seen in member.requests] == hosts
    assert {seen.connection.alpn for seen in member.requests} == {"http/1.1"}
    assert {seen.connection.tls_version for seen in member.requests} == {"TLSv1.3"}


def test_T2_9_connections_are_kept_by_name(make, tls_backend):
    """A pooled connection serves only the name that it was opened for."""
    member = tls_backend()
    service = make(member)
    with service.client() as client:
        for host in ("x.test", "y.test", "x.test", "y.test", "x.test"):
            assert client.get(host=host).status == 200
    used = {(seen.get("host"), seen.connection.number) for seen in member.requests}
    assert len(used) == 2
    assert all(seen.connection.sni == seen.get("host") for seen in member.requests)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("key", ["ec", "rsa", "rsa1024"])
def test_T2_9_both_versions_and_every_key_are_accepted(make, backend, version, key):
    context = certs.server_context(certs.self_signed("backend.test", key="ec"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    certs.self_signed("backend.test", key=key).load_into(context)
    context.minimum_version = context.maximum_version = version
    member = backend(tls=context)
    assert make(member).get().status == 200


@pytest.mark.parametrize("suite", ["ECDHE-RSA-AES128-SHA256", "AES128-GCM-SHA256", "AES256-SHA256"])
def test_2_9_old_suites_are_a_last_resort(make, backend, suite):
    context = certs.server_context(certs.self_signed("backend.test", key="rsa"))
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(f"{suite}:@SECLEVEL=0")
    assert make(backend(tls=context)).get().status == 200


def test_2_9_a_member_without_tls_is_a_failed_handshake(daemon, make, backend):
    service, target = make(backend(mode=modes.accept_then_send(b"HTTP/1.1 200 OK\r\n\r\n"))), \
        unique("plain")
    assert service.get(target).status == 502
    line = daemon.access_log.wait_for(target)
    assert line["error_reason"] == "backend_tls_failed"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_2_9_a_failed_handshake_is_retried_on_another_member(make, backend, tls_backend, method):
    """As a failed connection: whatever the method, since nothing was sent."""
    service = make(backend(mode=modes.accept_then_close()), tls_backend())
    for _ in range(4):
        answer = service.get(method=method, body=b"x")
        assert (answer.status, answer.json()["id"]) == (200, service.backends[1].name)


def test_2_9_a_handshake_that_hangs_is_given_up(daemon, own_daemon, backend, server_certificates):
    running = own_daemon(config={"connect_timeout": 1})
    api, target = running.api(), unique("hang")
    service = api.make_service(
        api.make_lb(), [backend(mode=modes.accept_then_hang())], pool={"protocol": "HTTPS"},
        certificate=api.make_certificate(server_certificates["ec"]),
    )  # fmt: skip
    before = now()
    assert service.get(target).status == 502
    taken = now() - before
    line = running.access_log.wait_for(target)
    assert line["error_reason"] == "backend_tls_failed"
    check_duration(taken, 1.0 if taken < 4 else 5.0)  # The budget of TLS may be its own 5 s.


def test_2_9_large_bodies_pass_both_ways(make, tls_backend):
    service = make(tls_backend(mode=modes.echo()))
    body = bytes(range(256)) * 1000
    assert service.get(method="POST", body=body).body == body


def test_2_9_a_cut_answer_of_a_tls_member_looks_cut(daemon, make, tls_backend):
    target = unique("trunc")
    service = make(tls_backend(mode=modes.trunc(how="cut")))
    answer = service.get(target)
    assert (answer.status, answer.complete) == (200, False)
    assert daemon.access_log.wait_for(target)["error_reason"] == "backend_truncated"
