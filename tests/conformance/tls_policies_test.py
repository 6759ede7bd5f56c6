"""TLS versions, suites and handshake protection (data-plane.md 2.1, 2.5, 2.10)."""

from __future__ import annotations

import socket

import pytest

from rig import http1
from rig.clients import How, RawClient
from rig.timing import LATE, Span, now, wait_until
from rig.tls import SUITES, TlsAlert, UnusableOffer, answer_to_hello, client_context, client_hello

S18 = (
    "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-SHA256 "
    "ECDHE-ECDSA-AES256-SHA384 ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES256-SHA "
    "ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-AES128-GCM-SHA256 AES128-GCM-SHA256 "
    "AES256-GCM-SHA384 ECDHE-RSA-AES128-SHA256 AES128-SHA256 AES256-SHA256 "
    "ECDHE-RSA-AES256-SHA384 ECDHE-RSA-AES128-SHA ECDHE-RSA-AES256-SHA AES128-SHA AES256-SHA"
).split()
S12 = [name for name in S18 if not name.endswith("-SHA")]
FS8 = [name for name in S12 if name.startswith("ECDHE")]
NC4 = [name for name in FS8 if "GCM" in name]
T5 = [name for name in SUITES if name.startswith("TLS_")]
INH33 = [name for name in SUITES if name not in T5]

ALL_VERSIONS = ("1.0", "1.1", "1.2", "1.3")
POLICIES = {
    "tls-1-0-inherit": (("1.0", "1.1", "1.2"), INH33),
    "tls-1-0": (("1.0", "1.1", "1.2"), S18),
    "tls-1-1": (("1.1", "1.2"), S18),
    "tls-1-2": (("1.2",), S18),
    "tls-1-2-strict": (("1.2",), S12),
    "tls-1-2-fs": (("1.2",), FS8),
    "tls-1-0-with-1-3": (ALL_VERSIONS, S18 + T5),
    "tls-1-2-fs-with-1-3": (("1.2", "1.3"), FS8 + T5),
    "hybrid-policy-1-0": (("1.1", "1.2"), S18),
    "tls-1-2-strict-no-cbc": (("1.2",), NC4),
}
VERSION_NAMES = {"1.0": "TLSv1", "1.1": "TLSv1.1", "1.2": "TLSv1.2", "1.3": "TLSv1.3"}
HANDSHAKE_FAILURE, PROTOCOL_VERSION, NO_APPLICATION_PROTOCOL = 40, 70, 120

assert (len(INH33), len(S12), len(FS8), len(NC4), len(T5)) == (33, 12, 8, 4, 5)


def is_in_library(suite: str) -> bool:
    try:
        client_context(ciphers=suite)
        return True
    except UnusableOffer:
        return False


IN_LIBRARY = {suite for suite in SUITES if is_in_library(suite)}


def fits_version(suite: str, version: str) -> bool:
    if suite in T5 or version == "1.3":
        return suite in T5 and version == "1.3"
    return version == "1.2" or suite.endswith("-SHA")


def fits_key(suite: str, key: str) -> bool:
    if suite in T5:
        return True
    if "DSS" in suite:
        return False
    return ("ECDSA" in suite) == (key == "ec")


def expected_alert(policy: str, version: str, suite: str, key: str) -> int | None:
    """The alert that the table asks for, None for a handshake that succeeds."""
    versions, suites = POLICIES[policy]
    if version not in versions:
        return PROTOCOL_VERSION
    if suite not in suites or not fits_version(suite, version) or not fits_key(suite, key):
        return HANDSHAKE_FAILURE
    return None


@pytest.fixture(scope="module")
def listeners(api, module_lb, server_certificates):
    """A listener for each policy and key type."""
    made = {}
    ports = iter(range(9000, 9100))
    for key, issued in server_certificates.items():
        certificate = api.make_certificate(issued)
        for policy in POLICIES:
            made[policy, key] = api.create(
                "listener", loadbalancer_id=module_lb["id"], protocol="HTTPS",
                protocol_port=next(ports), default_tls_container_ref=certificate["id"],
                tls_ciphers_policy=policy,
            )["protocol_port"]  # fmt: skip
    return made


def succeeds(address, port: int, version: str, suite: str) -> str | None:
    """None, or what went wrong in a handshake that offers only this."""
    context = client_context(lowest=version, highest=version, ciphers=suite)
    try:
        with RawClient(address, port, tls=context) as client:
            agreed = (client.tls.version, client.tls.cipher)
    except (TlsAlert, ConnectionError) as failure:
        return f"{version} {suite}: {failure}"
    if agreed != (VERSION_NAMES[version], suite):
        return f"{version} {suite}: agreed on {agreed}"
    return None


def is_refused(address, port: int, version: str, suite: str, alert: int) -> str | None:
    """None, or what came instead of this alert."""
    hello = client_hello(version, [SUITES[suite]])
    with socket.create_connection((address, port), timeout=20) as raw:
        reply = answer_to_hello(raw, hello)
    return None if reply.alert == alert else f"{version} {suite}: {reply} instead of {alert}"


@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize("policy", POLICIES)
def test_T2_1_each_version_and_suite_as_the_policy_says(listeners, module_lb, policy, key):
    address, port = module_lb["vip_address"], listeners[policy, key]
    wrong = []
    for version in ALL_VERSIONS:
        for suite in INH33 + T5:
            if suite not in IN_LIBRARY:
                continue
            alert = expected_alert(policy, version, suite, key)
            if alert is None:
                wrong.append(succeeds(address, port, version, suite))
            else:
                wrong.append(is_refused(address, port, version, suite, alert))
    wrong = [text for text in wrong if text]
    assert not wrong, "\n".join(wrong)


def test_T2_1_a_capable_pair_takes_the_newest_version(listeners, module_lb):
    for policy, (versions, _) in POLICIES.items():
        with RawClient(module_lb["vip_address"], listeners[policy, "rsa"], tls=True) as client:
            assert client.tls.version == VERSION_NAMES[versions[-1]], policy


def test_T2_2_the_servers_order_decides(listeners, module_lb):
    offer = "AES256-SHA:ECDHE-RSA-AES256-GCM-SHA384"
    context = client_context(highest="1.2", ciphers=offer)
    with RawClient(module_lb["vip_address"], listeners["tls-1-2", "rsa"], tls=context) as client:
        assert client.tls.cipher == "ECDHE-RSA-AES256-GCM-SHA384"


@pytest.fixture
def service(api, lb, certificate, backend):
    return api.make_service(lb, [backend()], port=8443, certificate=certificate, client_timeout=2)


def test_T2_8_plain_http_on_a_tls_port(daemon, service):
    def refused() -> float:
        labels = {"lbaas_listener_id": service.listener["id"]}
        return daemon.metrics().total("elb_me_l7_http_4xx", **labels)

    lines = len(daemon.access_log.lines())
    with RawClient(service.address, service.port) as client:
        answer = client.get("/plain-on-tls")
        assert (answer.status, client.expect_end().how) == (400, How.FIN)
    wait_until(lambda: refused() == 1, 5, "the refusal in the metrics")
    assert service.get("/good-after").status == 200
    daemon.access_log.wait_for("/good-after")
    assert len(daemon.access_log.lines()) == lines + 1
    assert service.backends[0].targets == ["/good-after"]


def test_T2_10_alpn_without_http2(service):
    with pytest.raises(TlsAlert) as caught:
        service.client(tls=client_context(alpn=["h2"]))
    assert caught.value.code == NO_APPLICATION_PROTOCOL
    with service.client(tls=client_context(alpn=["h2", "http/1.1"])) as client:
        assert client.tls.alpn == "http/1.1"
        assert client.get().status == 200
    with service.client(tls=client_context(alpn=["http/1.0"])) as client:
        assert client.tls.alpn == "http/1.0"


def test_T2_11_half_a_client_hello_is_closed_after_the_request_timeout(service):
    before = now()
    with RawClient(service.address, service.port) as client:
        started = Span(before, now())
        client.send(client_hello("1.2", list(SUITES.values()), "a.test")[:60])
        end = client.expect_end()
    started.check(end.at, 2.0, LATE)


def test_an_oversized_client_hello_is_closed(service):
    """2.10: a ClientHello of more than 16 KiB after reassembly."""
    huge = b"\x01" + (20_000).to_bytes(3, "big") + bytes(20_000)
    records = b""
    for start in range(0, len(huge), 16_000):
        piece = huge[start : start + 16_000]
        records += b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece
    with RawClient(service.address, service.port) as client:
        client.send_quietly(records)
        rest = client.read_rest()
    assert not rest.startswith(b"\x16"), "a ServerHello to an oversized ClientHello"
    assert http1.parse_head(rest + b"\r\n").start[:5] != "HTTP/"
