"""Replacing certificates, session resumption, custom policies (data-plane.md 2.2, 2.7, 2.8)."""

from __future__ import annotations

import pytest

from rig import certs
from rig.clients import RawClient
from rig.load import NginxMember, Wrk
from rig.tls import TlsAlert, client_context, present
from rig.timing import wait_until

HANDSHAKE_FAILURE, PROTOCOL_VERSION, CERTIFICATE_REQUIRED = 40, 70, 116
POLICIES = {"1.2": "tls-1-0", "1.3": "tls-1-0-with-1-3"}
CONNECTIONS = 200


@pytest.fixture(params=POLICIES)
def version(request):
    return request.param


@pytest.fixture
def issued(ca):
    return [ca.issue("a.test", key="ec") for _ in range(2)]


@pytest.fixture
def service(api, lb, backend, issued, version):
    certificate = api.make_certificate(issued[0])
    return api.make_service(lb, [backend()], port=8443, certificate=certificate,
                            tls_ciphers_policy=POLICIES[version])


def replace(service, issued: certs.Issued) -> None:
    """Other content for the listener's certificate."""
    service.api.update("certificate", service.listener["default_tls_container_ref"],
                       certificate=issued.chain_pem, private_key=issued.key_pem)


def point_elsewhere(service, issued: certs.Issued) -> None:
    """Another certificate for the listener."""
    made = service.api.make_certificate(issued)
    service.update_listener(default_tls_container_ref=made["id"])


def session_of(service, context):
    """A session that can be resumed; TLS 1.3 sends its ticket after the handshake."""
    with service.client(tls=context) as client:
        assert client.get().status == 200
        assert not client.tls.resumed
        return client.session


def resumed(service, context, session) -> tuple[bool, int]:
    """Whether a client with this session resumes it, and the serial that it gets."""
    with service.client(tls=context, session=session) as client:
        assert client.get().status == 200
        return client.tls.resumed, client.peer_serial


def test_2_7_a_session_is_resumed_by_any_worker(service, issued, version):
    context = client_context(highest=version)
    session = session_of(service, context)
    assert [resumed(service, context, session) for _ in range(8)] == [(True, issued[0].serial)] * 8


@pytest.mark.parametrize("change", [replace, point_elsewhere])
def test_T2_6_an_old_ticket_gets_a_full_handshake_with_the_new_certificate(
        service, issued, version, change):
    context = client_context(highest=version)
    session = session_of(service, context)
    assert resumed(service, context, session) == (True, issued[0].serial)
    change(service, issued[1])
    assert resumed(service, context, session) == (False, issued[1].serial)
    session = session_of(service, context)
    assert resumed(service, context, session) == (True, issued[1].serial)


def test_T2_6_a_ticket_of_another_listener_is_not_resumed(service, issued, version):
    context = client_context(highest=version)
    session = session_of(service, context)
    other = service.api.create(
        "listener", loadbalancer_id=service.lb["id"], protocol="HTTPS", protocol_port=8444,
        default_tls_container_ref=service.listener["default_tls_container_ref"],
        tls_ciphers_policy=POLICIES[version],
    )  # fmt: skip
    with RawClient(service.address, other["protocol_port"], tls=context,
                   session=session) as client:  # fmt: skip
        assert not client.tls.resumed
    assert resumed(service, context, session) == (True, issued[0].serial)


@pytest.mark.parametrize("fields", [
    {"tls_ciphers_policy": "tls-1-2"}, {"client_timeout": 33}, {"name": "other"},
], ids=["security_policy", "timeout", "name"])  # fmt: skip
def test_2_7_only_what_concerns_tls_ends_the_old_sessions(service, fields):
    context = client_context(highest="1.2")
    session = session_of(service, context)
    service.update_listener(**fields)
    assert resumed(service, context, session)[0] == ("tls_ciphers_policy" not in fields)


@pytest.mark.parametrize("change", [replace, point_elsewhere])
def test_T2_6_under_200_keep_alive_connections_nothing_fails(
        daemon, api, lb, issued, version, change):
    with NginxMember("E1") as member:
        certificate = api.make_certificate(issued[0])
        service = api.make_service(lb, [member], port=8443, certificate=certificate,
                                   tls_ciphers_policy=POLICIES[version])
        context = client_context(highest=version)
        with service.client(tls=context) as old:
            assert old.get().status == 200
            load = Wrk(service.origin, connections=CONNECTIONS)
            wait_until(lambda: len(open_clients(service)) >= CONNECTIONS, 60, "all connections")
            for each in (issued[1], issued[0], issued[1]):
                wait_for_more(daemon, service, 2 * CONNECTIONS)
                change(service, each)
                with service.client(tls=context) as fresh:
                    assert (fresh.get().status, fresh.peer_serial) == (200, each.serial)
            assert (old.get().status, old.peer_serial) == (200, issued[0].serial)
            wait_for_more(daemon, service, 2 * CONNECTIONS)
            result = load.stop()
    assert (result.failed, result.socket_errors) == (0, 0), result.text
    assert result.requests > CONNECTIONS


def wait_for_more(daemon, service, requests: int) -> None:
    """Returns once so many more requests have been answered."""
    def answered() -> float:
        labels = {"lbaas_listener_id": service.listener["id"]}
        return daemon.metrics().total("elb_mc_l7_http_2xx", **labels)

    enough = answered() + requests
    wait_until(lambda: answered() >= enough, 60, f"{requests} more requests")


def open_clients(service) -> list[str]:
    """Established connections to the listener, as the kernel lists them."""
    octets = bytes(reversed([int(part) for part in service.address.split(".")])).hex().upper()
    local, established = f"{octets}:{service.port:04X}", "01"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    return [row[2] for row in rows[1:] if row[1] == local and row[3] == established]


# --- T2.7 ----------------------------------------------------------------------------------------


def test_T2_7_an_old_ticket_does_not_pass_mutual_authentication(service, version):
    context = client_context(highest=version)
    session = session_of(service, context)
    authority = certs.Authority("Client CA")
    bundle = service.api.create("certificate", type="client", certificate=authority.pem)
    service.update_listener(client_ca_tls_container_ref=bundle["id"])
    service.backends[0].clear()
    alert = None
    try:
        with service.client(tls=context, session=session) as client:
            client.send_quietly(b"GET /no HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert client.read_rest() == b""
            alert = client.end.alert
    except TlsAlert as failed:
        alert = failed.code
    assert alert == (CERTIFICATE_REQUIRED if version == "1.3" else HANDSHAKE_FAILURE)
    assert service.backends[0].requests == []


def test_T2_7_a_ticket_of_another_authority_does_not_pass_either(service, version):
    """Changing the authority: resumption of older sessions is refused (2.6)."""
    first, second = certs.Authority("First CA"), certs.Authority("Second CA")
    bundles = [service.api.create("certificate", type="client", certificate=each.pem)["id"]
               for each in (first, second)]  # fmt: skip
    service.update_listener(client_ca_tls_container_ref=bundles[0])
    context = present(client_context(highest=version), first.issue("c.test", usage="client"))
    session = session_of(service, context)
    assert resumed(service, context, session)[0]
    service.update_listener(client_ca_tls_container_ref=bundles[1])
    try:
        with service.client(tls=context, session=session) as client:
            client.send_quietly(b"GET /no HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert client.read_rest() == b""
    except TlsAlert:
        pass
    assert "/no" not in service.backends[0].targets


def test_T2_7_a_mutual_session_resumes_while_nothing_changes(service, version):
    authority = certs.Authority("Client CA")
    bundle = service.api.create("certificate", type="client", certificate=authority.pem)
    service.update_listener(client_ca_tls_container_ref=bundle["id"])
    context = present(client_context(highest=version), authority.issue("c.test", usage="client"))
    assert resumed(service, context, session_of(service, context))[0]


# --- 2.8, 2.2 ------------------------------------------------------------------------------------


def test_2_8_an_expired_certificate_is_still_served(api, lb, backend, version):
    old = certs.expired("a.test")
    service = api.make_service(lb, [backend()], port=8443, certificate=api.make_certificate(old),
                               tls_ciphers_policy=POLICIES[version])
    with service.client(tls=client_context(highest=version)) as client:
        assert (client.get().status, client.peer_serial) == (200, old.serial)


def refused_with(service, **context) -> int | None:
    try:
        service.client(tls=client_context(**context)).close()
        return None
    except TlsAlert as alert:
        return alert.code


def test_2_2_a_custom_policy_overrides_the_named_one(api, lb, backend, certificate):
    """Its versions and suites only; editing it counts for new handshakes."""
    policy = api.create("security_policy", protocols=["TLSv1.2"],
                        ciphers=["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"])
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate,
                               tls_ciphers_policy="tls-1-0-with-1-3",
                               security_policy_id=policy["id"])
    with service.client(tls=client_context(highest="1.3")) as client:
        assert client.tls.version == "TLSv1.2"
        assert client.tls.cipher == "ECDHE-ECDSA-AES128-SHA256", "the user's order decides"
        assert refused_with(service, highest="1.1") == PROTOCOL_VERSION
        only = {"highest": "1.2", "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"}
        assert refused_with(service, **only) == HANDSHAKE_FAILURE
        api.update("security_policy", policy["id"], protocols=["TLSv1.3"],
                   ciphers=["TLS_AES_256_GCM_SHA384"])
        assert client.get().status == 200
    with service.client(tls=True) as client:
        assert (client.tls.version, client.tls.cipher) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
    assert refused_with(service, highest="1.2") == PROTOCOL_VERSION
    service.update_listener(security_policy_id=None)
    with service.client(tls=client_context(highest="1.1")) as client:
        assert client.get().status == 200


def test_2_2_a_version_without_a_usable_suite_is_dropped(api, lb, backend, certificate):
    policy = api.create("security_policy", protocols=["TLSv1", "TLSv1.2", "TLSv1.3"],
                        ciphers=["ECDHE-ECDSA-AES128-GCM-SHA256"])
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate,
                               security_policy_id=policy["id"])
    with service.client(tls=client_context(highest="1.3")) as client:
        assert client.tls.version == "TLSv1.2"
    for version in ("1.0", "1.3"):
        assert refused_with(service, lowest=version, highest=version) == PROTOCOL_VERSION
