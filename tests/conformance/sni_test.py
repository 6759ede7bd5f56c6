"""Which certificate a client gets (data-plane.md 2.3, 2.4), and ALPN beside old suites (2.5)."""

from __future__ import annotations

import pytest

from rig.clients import RawClient
from rig.parallel import spread
from rig.tls import TlsAlert, answer_to_hello, client_context, client_hello, SUITES

DECODE_ERROR, NO_APPLICATION_PROTOCOL = 50, 120
RSA_ONLY = "RSA+SHA256"


@pytest.fixture(scope="module")
def issued(ca):
    """The certificates of the case, by what the matrix calls them; D is the default one."""
    return {
        "www.a.com RSA": ca.issue("www.a.com", key="rsa"),
        "www.a.com EC": ca.issue("www.a.com", key="ec"),
        "*.a.com": ca.issue("*.a.com", key="rsa"),
        "*.b.a.com": ca.issue("*.b.a.com", key="rsa"),
        "D": ca.issue("default.test", key="rsa"),
    }


@pytest.fixture(scope="module")
def uploaded(api, issued):
    made = {}
    for name, certificate in issued.items():
        domain = None if name == "D" else name.split(" ")[0]
        more = {"domain": domain} if domain else {}
        made[name] = api.make_certificate(certificate, type="server", **more)["id"]
    return made


@pytest.fixture(scope="module")
def listeners(api, module_lb, uploaded):
    """A listener for each way of matching."""
    sni = [uploaded[name] for name in uploaded if name != "D"]
    return {
        algorithm: api.create(
            "listener", loadbalancer_id=module_lb["id"], protocol="HTTPS", protocol_port=port,
            default_tls_container_ref=uploaded["D"], sni_container_refs=sni,
            sni_match_algo=algorithm, tls_ciphers_policy="tls-1-0-with-1-3",
        )
        for port, algorithm in ((8443, "wildcard"), (8444, "longest_suffix"))
    }  # fmt: skip


@pytest.fixture
def served(module_lb, listeners, issued):
    """`served(algorithm, name, …)`: what the matrix calls the certificate that comes back."""
    names = {certificate.serial: name for name, certificate in issued.items()}

    def ask(algorithm: str, name: str | None, **context) -> str:
        port = listeners[algorithm]["protocol_port"]
        with RawClient(module_lb["vip_address"], port, tls=client_context(**context),
                       name=name) as client:  # fmt: skip
            return names[client.peer_serial]

    return ask


BOTH = ("wildcard", "longest_suffix")
MATRIX = [
    ("www.a.com", "www.a.com EC", "www.a.com EC"),
    ("WWW.A.COM.", "www.a.com EC", "www.a.com EC"),
    ("wWw.a.CoM", "www.a.com EC", "www.a.com EC"),
    ("x.a.com", "*.a.com", "*.a.com"),
    ("x.b.a.com", "*.b.a.com", "*.b.a.com"),
    ("y.x.b.a.com", "D", "*.b.a.com"),
    ("y.x.a.com", "D", "*.a.com"),
    ("b.a.com", "*.a.com", "*.a.com"),
    ("a.com", "D", "D"),
    ("xa.com", "D", "D"),
    ("www.a.com.evil.test", "D", "D"),
    (None, "D", "D"),
    ("192.0.2.1", "D", "D"),
    ("2001:db8::1", "D", "D"),
    ("default.test", "D", "D"),
    ("x..a.com", "D", "D"),
    (".a.com", "D", "D"),
    ("www.a.com..", "D", "D"),
    ("ü.a.com", "D", "D"),
    ("x_y.a.com", "*.a.com", "*.a.com"),
    ("*.a.com", "*.a.com", "*.a.com"),
    ("l" * 250 + ".a.com", "D", "D"),
]


@pytest.mark.parametrize("highest", ["1.2", "1.3"])
def test_T2_3_the_matrix_of_names(served, highest):
    wrong = []
    for name, *expected in MATRIX:
        for algorithm, wanted in zip(BOTH, expected):
            got = served(algorithm, name, highest=highest)
            if got != wanted:
                wrong.append(f"{algorithm} {name}: {got} instead of {wanted}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["www.a.com", "WWW.A.COM."])
def test_T2_3_a_client_without_ecdsa_gets_the_rsa_certificate(served, name):
    assert served("wildcard", name, sigalgs=RSA_ONLY, highest="1.2") == "www.a.com RSA"
    assert served("wildcard", name, ciphers="ECDHE-RSA-AES128-GCM-SHA256",
                  highest="1.2") == "www.a.com RSA"  # fmt: skip
    assert served("wildcard", name, highest="1.2") == "www.a.com EC"


def test_T2_3_a_client_without_ecdsa_gets_rsa_under_tls_1_3(served):
    only_rsa = {"sigalgs": "RSA-PSS+SHA256:RSA+SHA256", "lowest": "1.3"}
    assert served("wildcard", "www.a.com", **only_rsa) == "www.a.com RSA"
    assert served("wildcard", "www.a.com", lowest="1.3") == "www.a.com EC"


def test_T2_3_sni_that_is_off_means_the_default(api, module_lb, uploaded, issued):
    listener = api.create("listener", loadbalancer_id=module_lb["id"], protocol="HTTPS",
                          protocol_port=8445, default_tls_container_ref=uploaded["D"])
    with RawClient(module_lb["vip_address"], listener["protocol_port"], tls=True,
                   name="www.a.com") as client:
        assert client.peer_serial == issued["D"].serial


def test_T2_3_a_list_of_names_that_is_changed_counts_for_the_next_handshake(
        api, module_lb, uploaded, issued):
    listener = api.create("listener", loadbalancer_id=module_lb["id"], protocol="HTTPS",
                          protocol_port=8446, default_tls_container_ref=uploaded["D"])

    def serial(name: str) -> int:
        with RawClient(module_lb["vip_address"], 8446, tls=True, name=name) as client:
            return client.peer_serial

    for refs, expected in (([], "D"), (["*.a.com"], "*.a.com"), ([], "D")):
        api.update("listener", listener["id"], sni_container_refs=[uploaded[n] for n in refs])
        assert serial("x.a.com") == issued[expected].serial
    api.update("listener", listener["id"], sni_container_refs=[uploaded["*.a.com"]])
    assert serial("y.x.a.com") == issued["D"].serial
    api.update("listener", listener["id"], sni_match_algo="longest_suffix")
    assert serial("y.x.a.com") == issued["*.a.com"].serial


def hello_with_names(*names: bytes) -> bytes:
    """A ClientHello whose server_name extension holds all these host names."""
    marker = b"m" * 40
    hello = client_hello("1.2", list(SUITES.values()), marker.decode())
    entries = b"".join(b"\0" + len(name).to_bytes(2, "big") + name for name in names)
    old = b"\0" + len(marker).to_bytes(2, "big") + marker
    old = (len(old) + 2).to_bytes(2, "big") + len(old).to_bytes(2, "big") + old
    new = (len(entries) + 2).to_bytes(2, "big") + len(entries).to_bytes(2, "big") + entries
    grown = len(new) - len(old)
    start = hello.index(old)
    extensions = hello.rindex(b"\x01\0", 0, start) + 2  # After the compression methods.
    data = bytearray(hello.replace(old, new))
    for at, size in ((3, 2), (6, 3), (extensions, 2)):
        value = int.from_bytes(data[at : at + size], "big") + grown
        data[at : at + size] = value.to_bytes(size, "big")
    return bytes(data)


@pytest.mark.parametrize("names", [
    (b"www.a.com", b"x.a.com"), (b"www.a.com", b"www.a.com"),
], ids=["two_names", "one_name_twice"])  # fmt: skip
def test_T2_3_a_malformed_name_list_is_decode_error(module_lb, listeners, names):
    port = listeners["wildcard"]["protocol_port"]
    with RawClient(module_lb["vip_address"], port) as client:
        assert answer_to_hello(client.socket, hello_with_names(*names)).alert == DECODE_ERROR
    with RawClient(module_lb["vip_address"], port) as client:
        assert answer_to_hello(client.socket, hello_with_names(b"x.a.com")).suite is not None


def test_T2_3_many_handshakes_at_once_get_their_own_certificate(served):
    """Names of one client never leak into the handshake of another."""
    wanted = {"www.a.com": "www.a.com EC", "x.a.com": "*.a.com", "x.b.a.com": "*.b.a.com",
              "a.com": "D"}  # fmt: skip
    names = list(wanted) * 10
    got = spread(names, 8, lambda name: (name, served("wildcard", name)))
    assert sorted(got) == sorted((name, wanted[name]) for name in names)


# --- 2.5: HTTP/2 only with suites that it allows -------------------------------------------------


@pytest.fixture(scope="module")
def http2(api, module_lb, uploaded):
    return api.create(
        "listener", loadbalancer_id=module_lb["id"], protocol="HTTPS", protocol_port=8450,
        default_tls_container_ref=uploaded["D"], http2_enable=True,
        tls_ciphers_policy="tls-1-0-with-1-3",
    )  # fmt: skip


@pytest.mark.parametrize("context, expected", [
    ({"highest": "1.3"}, "h2"),
    ({"highest": "1.2", "ciphers": "ECDHE-RSA-AES128-GCM-SHA256"}, "h2"),
    ({"highest": "1.2", "ciphers": "AES128-GCM-SHA256"}, "http/1.1"),
    ({"highest": "1.2", "ciphers": "ECDHE-RSA-AES128-SHA256"}, "http/1.1"),
    ({"highest": "1.1"}, "http/1.1"),
    ({"highest": "1.0"}, "http/1.1"),
], ids=["tls_1_3", "aead_and_pfs", "no_pfs", "cbc", "tls_1_1", "tls_1_0"])  # fmt: skip
def test_T2_1_http2_needs_a_suite_that_it_allows(module_lb, http2, context, expected):
    port = http2["protocol_port"]
    both = client_context(alpn=["h2", "http/1.1"], **context)
    with RawClient(module_lb["vip_address"], port, tls=both) as client:
        assert client.tls.alpn == expected
    only = client_context(alpn=["h2"], **context)
    if expected == "h2":
        with RawClient(module_lb["vip_address"], port, tls=only) as client:
            assert client.tls.alpn == "h2"
        return
    with pytest.raises(TlsAlert) as caught:
        RawClient(module_lb["vip_address"], port, tls=only)
    assert caught.value.code == NO_APPLICATION_PROTOCOL


def test_2_5_the_servers_order_of_protocols_decides(module_lb, http2):
    for offer in (["http/1.1", "h2"], ["spdy/3", "http/1.1", "h2"]):
        context = client_context(alpn=offer)
        with RawClient(module_lb["vip_address"], http2["protocol_port"], tls=context) as client:
            assert client.tls.alpn == "h2"
    with RawClient(module_lb["vip_address"], http2["protocol_port"], tls=True) as client:
        assert client.tls.alpn == ""
