"""Mutual authentication (data-plane.md 2.6)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rig import certs
from rig.clients import RawClient
from rig.timing import wait_until
from rig.tls import TlsAlert, client_context, present

HANDSHAKE_FAILURE, BAD_CERTIFICATE, UNSUPPORTED_CERTIFICATE, CERTIFICATE_EXPIRED = 40, 42, 43, 45
UNKNOWN_CA, CERTIFICATE_REQUIRED = 48, 116
POLICIES = {"1.2": "tls-1-0", "1.3": "tls-1-0-with-1-3"}


@pytest.fixture(scope="module")
def authority():
    return certs.Authority("Client CA")


@pytest.fixture(params=POLICIES)
def version(request):
    return request.param


@pytest.fixture
def make(api, lb, certificate, backend):
    """`make(pem, version)`: a service that wants client certificates of these authorities."""

    def build(pem: str, version: str, **listener):
        bundle = api.create("certificate", type="client", certificate=pem)
        return api.make_service(
            lb, [backend()], port=8443, certificate=certificate,
            client_ca_tls_container_ref=bundle["id"], tls_ciphers_policy=POLICIES[version],
            **listener,
        )  # fmt: skip

    return build


def offered(version: str, identity=None, **more):
    context = client_context(lowest=version, highest=version, **more)
    return present(context, identity) if identity else context


def outcome(service, context) -> int:
    """200, or the number of the alert that ended the handshake or the first read (TLS 1.3)."""
    try:
        with service.client(tls=context) as client:
            client.send_quietly(b"GET /mutual HTTP/1.1\r\nHost: a.test\r\n\r\n")
            head = client.receive()
            if head:
                return int(head.split(b" ")[1])
            assert client.end.alert is not None, client.end
            return client.end.alert
    except TlsAlert as alert:
        return alert.code


def test_2_6_a_certificate_of_the_authority_is_accepted(make, authority, version):
    service = make(authority.pem, version)
    assert outcome(service, offered(version, authority.issue("c.test", usage="client"))) == 200
    assert outcome(service, offered(version, authority.issue("c.test", usage="none"))) == 200
    rsa = authority.issue("c.test", usage="client", key="rsa")
    assert outcome(service, offered(version, rsa)) == 200
    assert service.backends[0].targets == ["/mutual"] * 3


def test_2_6_each_bad_certificate_has_its_alert(daemon, make, authority, version):
    service = make(authority.pem, version)
    stranger = certs.Authority("Stranger CA").issue("c.test", usage="client")
    expected = {
        "none": (None, CERTIFICATE_REQUIRED if version == "1.3" else HANDSHAKE_FAILURE),
        "unknown issuer": (stranger, UNKNOWN_CA),
        "self-signed": (certs.self_signed("c.test"), UNKNOWN_CA),
        "expired": (authority.issue("c.test", usage="client", days=(-9, -1)),
                    CERTIFICATE_EXPIRED),
        "not yet valid": (authority.issue("c.test", usage="client", days=(1, 9)),
                          BAD_CERTIFICATE),
        "wrong purpose": (authority.issue("c.test", usage="server"), UNSUPPORTED_CERTIFICATE),
    }  # fmt: skip
    seen = {name: outcome(service, offered(version, identity))
            for name, (identity, _) in expected.items()}  # fmt: skip
    assert seen == {name: alert for name, (_, alert) in expected.items()}
    assert service.backends[0].requests == []
    labels = {"lbaas_listener_id": service.listener["id"]}
    wait_until(lambda: daemon.metrics().total("elb_client_tls_negotiation_error", **labels)
               == len(expected), 5, "each failed handshake to be counted")  # fmt: skip


def test_2_6_a_chain_longer_than_11_is_refused(make, authority, version):
    service = make(authority.pem, version)
    issuers = [authority]
    for number in range(11):
        issuers.append(certs.Authority(f"Deep {number}", parent=issuers[-1]))
    fits = issuers[9].issue("c.test", usage="client")  # Leaf, 9 intermediates, anchor: 11.
    deep = issuers[11].issue("c.test", usage="client")
    assert outcome(service, offered(version, fits)) == 200
    assert outcome(service, offered(version, deep)) == UNKNOWN_CA


def test_2_6_any_certificate_of_a_bundle_is_an_anchor(make, authority, version):
    other = certs.Authority("Other CA")
    service = make(authority.pem + other.pem, version)
    for each in (authority, other):
        assert outcome(service, offered(version, each.issue("c.test", usage="client"))) == 200


def test_2_6_the_request_names_the_authorities(make, authority, version):
    other = certs.Authority("Other CA")
    service = make(authority.pem + other.pem, version)
    with service.client(tls=offered(version, authority.issue("c.test", usage="client"))) as client:
        client.get()
        names = [dict(name.get_components())[b"CN"]
                 for name in client.tls.connection.get_client_ca_list()]  # fmt: skip
    assert sorted(names) == [b"Client CA", b"Other CA"]


def test_T2_5_an_intermediate_alone_is_an_anchor(make, authority, version):
    """A client certificate issued by it is accepted with the leaf alone; a sibling's is not."""
    middle = certs.Authority("Middle CA", parent=authority)
    sibling = certs.Authority("Sibling CA", parent=authority)
    service = make(middle.pem, version)

    def leaf_of(issuer) -> certs.Issued:
        whole = issuer.issue("c.test", usage="client")
        return certs.Issued(whole.certificate, whole.key)

    assert outcome(service, offered(version, leaf_of(middle))) == 200
    assert outcome(service, offered(version, leaf_of(sibling))) == UNKNOWN_CA
    whole = sibling.issue("c.test", usage="client")
    assert outcome(service, offered(version, whole)) == UNKNOWN_CA


def test_2_6_http2_asks_as_well(make, authority, version):
    service = make(authority.pem, version, http2_enable=True)
    context = offered(version, authority.issue("c.test", usage="client"), alpn=["h2"])
    with service.h2(context=context) as client:
        assert client.get().status == 200
    missing = CERTIFICATE_REQUIRED if version == "1.3" else HANDSHAKE_FAILURE
    assert outcome(service, offered(version, alpn=["h2"])) == missing


def test_2_6_removing_the_authority_opens_the_listener(make, authority, version):
    service = make(authority.pem, version)
    assert outcome(service, offered(version)) != 200
    service.update_listener(client_ca_tls_container_ref=None)
    assert outcome(service, offered(version)) == 200


# --- T2.4: the vendor's own instructions ---------------------------------------------------------

CA_CONF = "[ req ]\ndistinguished_name = req_distinguished_name\nprompt = no\n\n" \
          "[ req_distinguished_name ]\nO = ELB\n"  # fmt: skip
LEAF_CONF = CA_CONF + "CN = www.test.com\n"
PERMISSIVE_OPENSSL = (
    "openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\nsystem_default = defaults\n"
    "[defaults]\nCipherString = DEFAULT@SECLEVEL=0\n"
)


def shell(command: str, directory: Path) -> None:
    done = subprocess.run(command, shell=True, cwd=directory, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stderr}"


@pytest.fixture(scope="module")
def how_to(tmp_path_factory):
    """The directories `ca`, `server` and `client` as the how-to leaves them."""
    root = tmp_path_factory.mktemp("how-to")
    for name in ("ca", "server", "client"):
        (root / name).mkdir()
    (root / "ca/ca_cert.conf").write_text(CA_CONF)
    shell("openssl genrsa -out ca.key 2048", root / "ca")
    shell("openssl req -out ca.csr -key ca.key -new -config ./ca_cert.conf", root / "ca")
    shell("openssl x509 -req -in ca.csr -out ca.crt -sha1 -days 5000 -signkey ca.key", root / "ca")
    for name in ("server", "client"):
        (root / name / f"{name}_cert.conf").write_text(LEAF_CONF)
        shell(f"openssl genrsa -out {name}.key 2048", root / name)
        shell(f"openssl req -out {name}.csr -key {name}.key -new -config ./{name}_cert.conf",
              root / name)
        shell(f"openssl x509 -req -in {name}.csr -out {name}.crt -sha1 -CAcreateserial -days 5000 "
              "-CA ../ca/ca.crt -CAkey ../ca/ca.key", root / name)
    (root / "openssl.cnf").write_text(PERMISSIVE_OPENSSL)
    return root


@pytest.fixture
def how_to_service(api, lb, backend, how_to, version):
    def pem(name: str) -> str:
        return (how_to / name).read_text()

    server = api.create("certificate", type="server", certificate=pem("server/server.crt"),
                        private_key=pem("server/server.key"))
    bundle = api.create("certificate", type="client", certificate=pem("ca/ca.crt"))
    return api.make_service(
        lb, [backend()], port=8443, certificate=server,
        client_ca_tls_container_ref=bundle["id"], tls_ciphers_policy=POLICIES[version],
    )  # fmt: skip


def run_client(how_to: Path, *command: str) -> subprocess.CompletedProcess:
    environment = {"PATH": "/usr/bin:/bin", "OPENSSL_CONF": str(how_to / "openssl.cnf")}
    return subprocess.run(command, cwd=how_to / "client", capture_output=True, text=True,
                          timeout=60, env=environment, stdin=subprocess.DEVNULL)  # fmt: skip


def test_T2_4_the_vendors_how_to_works_with_curl(how_to, how_to_service, version):
    done = run_client(how_to, "curl", "-k", "--cert", "client.crt", "--key", "client.key",
                      "-sS", "-v", f"{how_to_service.origin}/", "-I")
    assert done.stdout.startswith("HTTP/1.1 200 "), done.stdout + done.stderr
    assert f"SSL connection using TLSv{version}" in done.stderr
    assert [seen.method for seen in how_to_service.backends[0].requests] == ["HEAD"]


def test_T2_4_without_a_certificate_the_handshake_fails(how_to, how_to_service, version):
    done = run_client(how_to, "curl", "-k", "-sS", f"{how_to_service.origin}/", "-I")
    assert done.returncode in (35, 56) and done.stdout == "", done
    words = "certificate required" if version == "1.3" else "handshake failure"
    assert words in done.stderr
    assert how_to_service.backends[0].requests == []


def test_T2_4_a_self_signed_stranger_is_unknown_ca(how_to, how_to_service, version):
    shell("openssl req -x509 -newkey rsa:2048 -nodes -keyout stranger.key -out stranger.crt "
          "-days 30 -config ./client_cert.conf", how_to / "client")
    target = f"{how_to_service.address}:{how_to_service.port}"
    done = run_client(how_to, "openssl", "s_client", "-connect", target, "-cert", "stranger.crt",
                      "-key", "stranger.key", "-ign_eof")
    assert "alert unknown ca" in done.stderr, done.stderr
    done = run_client(how_to, "curl", "-k", "--cert", "stranger.crt", "--key", "stranger.key",
                      "-sS", f"{how_to_service.origin}/", "-I")
    assert done.returncode in (35, 56) and "unknown ca" in done.stderr, done
    assert how_to_service.backends[0].requests == []


def test_T2_4_openssl_sees_the_chain_and_the_request(how_to, how_to_service):
    target = f"{how_to_service.address}:{how_to_service.port}"
    done = run_client(how_to, "openssl", "s_client", "-connect", target, "-cert", "client.crt",
                      "-key", "client.key", "-CAfile", "../ca/ca.crt")
    assert "Verify return code: 0 (ok)" in done.stdout, done.stdout
    assert "Acceptable client certificate CA names\nO = ELB\n" in done.stdout


def test_2_6_half_a_client_certificate_gets_no_answer(make, authority, version):
    """A client that leaves after the server's flight has got nothing of HTTP."""
    service = make(authority.pem, version)
    with RawClient(service.address, service.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
        assert client.read_response().status == 400  # 2.10: plain HTTP, before any certificate.
    assert service.backends[0].requests == []
