"""What a backend is told about TLS and client certificates (data-plane.md 4.7)."""

from __future__ import annotations

import hashlib
import urllib.parse

import pytest
from cryptography import x509

from rig import certs, fingerprint
from rig.tls import SUITES, client_context, present

CLIENT = "127.0.0.1"
HOST = "a.test:8443"
SUITE_NAMES = {number: name for name, number in SUITES.items()}

PLAIN = ["X-Forwarded-ELB-IP", "X-Forwarded-Port", "X-Forwarded-For-Port", "X-Forwarded-Host",
         "X-Forwarded-Proto", "X-Real-IP", "X-Forwarded-ELB-ID",
         "X-Forwarded-TLS-Certificate-ID", "X-Forwarded-TLS-Protocol",
         "X-Forwarded-TLS-Cipher"]  # fmt: skip
ENABLED = ["X-Forwarded-Clientcert-subjectdn", "X-Forwarded-Clientcert-issuerdn",
           "X-Forwarded-Clientcert-fingerprint", "X-Forwarded-Clientcert-clientverify",
           "X-Forwarded-Clientcert-serialnumber", "X-Forwarded-Clientcert",
           "X-Forwarded-Clientcert-ciphers", "X-Forwarded-Clientcert-end",
           "X-Forwarded-Tls-Alpn-Protocol", "X-Forwarded-Tls-Sni", "X-Forwarded-Tls-Ja3",
           "X-Forwarded-Tls-Ja4"]  # fmt: skip
ALL_ON = {**{name: True for name in PLAIN}, **{f"{name}-enable": True for name in ENABLED}}
SPOOFABLE = ["X-Forwarded-TLS-Certificate-ID", "X-Forwarded-TLS-Protocol",
             "X-Forwarded-TLS-Cipher", *ENABLED]  # fmt: skip
PASSING = [name for name in PLAIN if name not in SPOOFABLE and name != "X-Forwarded-Host"]


@pytest.fixture(scope="module")
def authority():
    return certs.Authority("Client CA")


@pytest.fixture(scope="module")
def identity(authority):
    return authority.issue("www.test.com", usage="client")


@pytest.fixture
def service(api, lb, certificate, backend, authority):
    bundle = api.create("certificate", type="client", certificate=authority.pem)
    return api.make_service(
        lb, [backend()], port=8443, certificate=certificate, http2_enable=True,
        client_ca_tls_container_ref=bundle["id"], tls_ciphers_policy="tls-1-0-with-1-3",
    )  # fmt: skip


def spellings(name: str) -> list[tuple[str, str]]:
    """A client's copies of a name, in every spelling that a backend may take for it."""
    return [(name, "admin"), (name.lower(), "admin"), (name.upper(), "admin"),
            (name.replace("-", "_"), "admin")]  # fmt: skip


FORGED = [pair for name in ALL_ON for pair in spellings(name.removesuffix("-enable"))]


def offered_suites(hello: bytes) -> str:
    return ":".join(SUITE_NAMES.get(suite, f"0x{suite:04X}")
                    for suite in fingerprint.parse(hello).suites
                    if not fingerprint.is_grease(suite))  # fmt: skip


def expected(service, client, identity, alpn: str) -> dict[str, str | None]:
    certificate: x509.Certificate = identity.certificate
    return {
        "X-Forwarded-ELB-IP": service.address,
        "X-Forwarded-Port": str(service.port),
        "X-Forwarded-For-Port": str(client.socket.getsockname()[1]),
        "X-Forwarded-Host": HOST,
        "X-Forwarded-Proto": "https",
        "X-Real-IP": CLIENT,
        "X-Forwarded-ELB-ID": service.lb["id"],
        "X-Forwarded-TLS-Certificate-ID": service.listener["default_tls_container_ref"],
        "X-Forwarded-TLS-Protocol": client.tls.version,
        "X-Forwarded-TLS-Cipher": client.tls.cipher,
        "X-Forwarded-Clientcert-subjectdn": "CN=www.test.com,O=ELB",
        "X-Forwarded-Clientcert-issuerdn": "CN=Client CA,O=ELB",
        "X-Forwarded-Clientcert-fingerprint": hashlib.sha256(identity.der).hexdigest(),
        "X-Forwarded-Clientcert-clientverify": "SUCCESS",
        "X-Forwarded-Clientcert-serialnumber": serial_text(identity.serial),
        "X-Forwarded-Clientcert-ciphers": offered_suites(client.tls.hello),
        "X-Forwarded-Clientcert-end": end_text(certificate),
        "X-Forwarded-Tls-Alpn-Protocol": alpn,
        "X-Forwarded-Tls-Sni": "www.a.test",
        "X-Forwarded-Tls-Ja3": fingerprint.ja3(client.tls.hello),
        "X-Forwarded-Tls-Ja4": fingerprint.ja4(client.tls.hello),
    }


def serial_text(serial: int) -> str:
    """As OpenSSL writes it: whole bytes."""
    digits = f"{serial:X}"
    return digits if len(digits) % 2 == 0 else "0" + digits


def end_text(certificate: x509.Certificate) -> str:
    end = certificate.not_valid_after
    return f"{end:%b} {end.day:2} {end:%H:%M:%S %Y} GMT"


def check(seen, wanted: dict[str, str | None], identity) -> None:
    wrong = []
    for name, value in wanted.items():
        got = seen.get_all(name)
        if name == "X-Forwarded-Clientcert-ciphers":  # The signalling suite has no settled name.
            got = [text.replace("TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "0x00FF") for text in got]
        if got != ([value] if value is not None else []):
            wrong.append(f"{name}: {got} instead of {value}")
    (pem,) = seen.get_all("X-Forwarded-Clientcert") or [""]
    if urllib.parse.unquote(pem) != identity.leaf_pem:
        wrong.append(f"X-Forwarded-Clientcert: {pem[:80]}")
    assert not wrong, "\n".join(wrong)
    assert "admin" not in [value for _, value in seen.headers]


CONTEXTS = {
    "tls_1_3": {"lowest": "1.3", "ciphers": "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"},
    "tls_1_2": {"highest": "1.2",
                "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256:AES128-SHA:ECDHE-RSA-AES256-SHA"},
}  # fmt: skip


@pytest.mark.parametrize("alpn", [None, "http/1.1", "h2"])
@pytest.mark.parametrize("kind", CONTEXTS)
def test_T4_6_all_toggles_on_over_mutual_tls(service, identity, kind, alpn):
    service.update_listener(insert_headers=ALL_ON)
    offer = {"alpn": [alpn, "x"]} if alpn else {}
    context = present(client_context(**CONTEXTS[kind], **offer), identity)
    if alpn == "h2":
        forged = [(name.lower(), value) for name, value in FORGED]
        with service.h2(context=context, name="WWW.A.test", source=CLIENT) as client:
            wanted = expected(service, client.raw, identity, alpn)
            assert client.get(authority=HOST, fields=forged).status == 200
    else:
        with service.client(tls=context, name="WWW.A.test", source=CLIENT) as client:
            wanted = expected(service, client, identity, alpn)
            assert client.get(host=HOST, fields=FORGED).status == 200
    (seen,) = service.backends[0].requests
    check(seen, wanted, identity)


def test_T4_6_without_a_name_or_protocol_the_fields_are_left_out(service, identity):
    service.update_listener(insert_headers=ALL_ON)
    context = present(client_context(**CONTEXTS["tls_1_3"]), identity)
    with service.client(tls=context, source=CLIENT) as client:
        assert client.get(host=HOST, fields=FORGED).status == 200
    (seen,) = service.backends[0].requests
    for name in ("X-Forwarded-Tls-Alpn-Protocol", "X-Forwarded-Tls-Sni"):
        assert seen.get_all(name) == []


def test_T4_6_without_a_client_certificate_verify_says_none(api, lb, backend, certificate):
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate,
                               insert_headers=ALL_ON)
    with service.client() as client:
        assert client.get(fields=FORGED).status == 200
    (seen,) = service.backends[0].requests
    assert seen.get_all("X-Forwarded-Clientcert-clientverify") == ["NONE"]
    for name in ("subjectdn", "issuerdn", "fingerprint", "serialnumber", "end"):
        assert "admin" not in seen.get_all(f"X-Forwarded-Clientcert-{name}")
    assert "admin" not in [value for _, value in seen.headers]


@pytest.fixture(params=["http", "https"])
def plain(api, lb, backend, certificate, request):
    """A listener with all toggles off that can be off."""
    more = {"certificate": certificate} if request.param == "https" else {}
    return api.make_service(lb, [backend()], port=8080,
                            insert_headers={"X-Forwarded-Host": False}, **more)


def test_T4_6_off_the_tls_names_never_pass(plain):
    for part in batches(SPOOFABLE, 4):
        fields = [pair for name in part for pair in spellings(name)]
        with plain.client() as client:
            assert client.get(fields=fields).status == 200
    for seen in plain.backends[0].requests:
        assert "admin" not in [value for _, value in seen.headers], seen.headers


def batches(items: list, size: int):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def test_T4_6_off_the_other_names_pass_as_sent(plain):
    names = [*PASSING, "X-Forwarded-Host"]
    with plain.client() as client:
        assert client.get(fields=[(name, f"mine-{name}") for name in names]).status == 200
    (seen,) = plain.backends[0].requests
    assert [seen.get_all(name) for name in names] == [[f"mine-{name}"] for name in names]


def test_T4_6_on_an_http_listener_the_tls_toggles_do_nothing(api, lb, backend):
    service = api.make_service(lb, [backend()], port=8080, insert_headers=ALL_ON)
    with service.client(source=CLIENT) as client:
        assert client.get(fields=[(name, "admin") for name in SPOOFABLE]).status == 200
    (seen,) = service.backends[0].requests
    assert [name for name, _ in seen.headers if name.lower() in
            {name.lower() for name in SPOOFABLE}] == []  # fmt: skip
    assert seen.get_all("x-forwarded-proto") == ["http"]


@pytest.mark.parametrize("name, alias_key", [
    ("X-Forwarded-TLS-Protocol", "X-Forwarded-TLS-Protocol-alias"),
    ("X-Forwarded-TLS-Cipher", "X-Forwarded-TLS-Cipher-alias"),
    ("X-Forwarded-Clientcert-subjectdn", "X-Forwarded-Clientcert-subjectdn-alias"),
    ("X-Forwarded-Tls-Sni", "X-Forwarded-Tls-Sni-alias"),
])  # fmt: skip
def test_T4_6_an_alias_replaces_the_name(service, identity, name, alias_key):
    service.update_listener(insert_headers={**ALL_ON, alias_key: "My_Alias-1"})
    context = present(client_context(), identity)
    with service.client(tls=context, name="www.a.test") as client:
        fields = [("My_Alias-1", "admin"), ("my_alias-1", "admin"), (name, "admin")]
        assert client.get(fields=fields).status == 200
        value = {"X-Forwarded-TLS-Protocol": client.tls.version,
                 "X-Forwarded-TLS-Cipher": client.tls.cipher,
                 "X-Forwarded-Clientcert-subjectdn": "CN=www.test.com,O=ELB",
                 "X-Forwarded-Tls-Sni": "www.a.test"}[name]  # fmt: skip
    (seen,) = service.backends[0].requests
    assert (seen.get_all("My_Alias-1"), seen.get_all(name)) == ([value], [])


def test_T4_6_the_certificate_of_the_handshake_is_named(api, lb, backend, ca, certificate):
    """With SNI it is the chosen one, and it stays that of the connection."""
    other = api.make_certificate(ca.issue("b.test"), domain="b.test", type="server")
    service = api.make_service(
        lb, [backend()], port=8443, certificate=certificate, sni_container_refs=[other["id"]],
        insert_headers={"X-Forwarded-TLS-Certificate-ID": True},
    )  # fmt: skip
    for name, wanted in (("b.test", other["id"]), ("a.test", certificate["id"])):
        with service.client(name=name) as client:
            assert client.get().status == 200
            service.update_listener(sni_container_refs=[])
            assert client.get().status == 200
            service.update_listener(sni_container_refs=[other["id"]])
        ids = [seen.get_all("X-Forwarded-TLS-Certificate-ID")
               for seen in service.backends[0].requests[-2:]]  # fmt: skip
        assert ids == [[wanted]] * 2
