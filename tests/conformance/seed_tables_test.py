"""The parameters of Tables 1 and 4, "Adding an HTTPS Listener": lowest, highest, default, what is
refused, and what one sees of it from outside; on dedicated and on shared load balancers."""

from __future__ import annotations

import pytest

from conformance.fronts import ask
from conformance.site import KINDS, Site, make_site
from rig import http1, modes
from rig.clients import RawClient
from rig.h2client import H2Client
from rig.parallel import concurrently
from rig.timing import check_duration, now
from rig.tls import TlsAlert, client_context, present

LONG = 1.6  # Seconds for which a longer timeout must not have struck.


@pytest.fixture(params=KINDS)
def site(request, api, certificate, backend) -> Site:
    made = make_site(api, request.param, certificate, backend)
    yield made
    api.drop_lb(made.lb["id"])


def test_table_1_4_name(site):
    assert site.listener()["name"] == ""
    for name in ("n", "n" * 255, "listener-pnqy"):
        assert site.api.show("listener", site.listener(name=name)["id"])["name"] == name
    site.refuse_listener(400, site.code("8902", "6011"), name="n" * 256)


def test_table_1_4_frontend_protocol(site):
    listener = site.listener()
    assert listener["protocol"] == site.code("HTTPS", "TERMINATED_HTTPS")
    site.refuse_listener(400, site.code("8902", "9805"), protocol=...)
    site.refuse_listener(400, site.code("8902", "6061"), protocol="HTTP2")
    site.api.try_update("listener", listener["id"], {"protocol": "HTTP"}).expect_error(
        400, site.code("8902", "6015"))


def test_table_1_an_https_listener_needs_a_flavor_of_its_layer(api, certificate):
    flavor = api.list("flavor", type="L4")[0]
    lb = api.make_lb(l4_flavor_id=flavor["id"])
    try:
        api.try_create("listener", loadbalancer_id=lb["id"], protocol="HTTPS", protocol_port=443,
                       default_tls_container_ref=certificate["id"]).expect_error(400, "8902")
    finally:
        api.drop_lb(lb["id"])


@pytest.mark.parametrize("port", [1, 80, 65535])
def test_table_1_4_frontend_port(site, port):
    service = site.service(modes.ok(), protocol_port=port)
    assert service.get().status == 200


def test_table_1_4_frontend_port_refused(site):
    for port in (0, 65536, -1):
        site.refuse_listener(400, site.code("8902", "6041"), protocol_port=port)
    site.refuse_listener(400, site.code("8902", "9805"), protocol_port=...)
    taken = site.listener()
    status, code = (400, "6200") if site.shared else (409, "8907")
    site.refuse_listener(status, code, protocol_port=taken["protocol_port"])
    site.api.try_update("listener", taken["id"], {"protocol_port": 81}).expect_error(
        400, site.code("8902", "6015"))


def test_table_1_4_ssl_authentication(site, ca):
    """One-way by default; mutual lets in only those with a certificate of the given CA."""
    service = site.service(modes.ok())
    assert service.listener["client_ca_tls_container_ref"] is None
    assert service.get().status == 200
    authority = site.api.create("certificate", type="client", certificate=ca.pem)
    service.update_listener(client_ca_tls_container_ref=authority["id"])
    for context in (client_context(highest="1.2"), stranger(ca)):
        with pytest.raises(TlsAlert):
            service.client(tls=context)
    known = present(client_context(), ca.issue("c.test", usage="client"))
    assert service.client(tls=known).get().status == 200
    service.update_listener(client_ca_tls_container_ref=None)
    assert service.get().status == 200


def stranger(ca):
    from rig.certs import self_signed

    return present(client_context(highest="1.2"), self_signed("c.test"))


def test_table_1_4_server_certificate(site, ca):
    issued = ca.issue("a.test", key="rsa")
    mine = site.api.make_certificate(issued)
    service = site.service(modes.ok())
    service.update_listener(default_tls_container_ref=mine["id"])
    with service.client() as client:
        assert client.peer_serial == issued.serial
    missing = site.code("8902", "9805")
    site.refuse_listener(400, missing, default_tls_container_ref=...)
    site.api.try_update("listener", service.listener["id"],
                        {"default_tls_container_ref": None}
                        ).expect_error(400, site.code("8902", "9899"))
    status, code = (400, "5040") if site.shared else (404, "8904")
    site.refuse_listener(status, code, default_tls_container_ref="0" * 32)
    site.refuse_listener(400, "5020", default_tls_container_ref="0" * 31)
    client = site.api.create("certificate", type="client", certificate=ca.pem)
    site.refuse_listener(400, site.code("8902", "9899"), default_tls_container_ref=client["id"])
    other = ca.issue("b.test")
    site.api.try_create("certificate", certificate=issued.chain_pem,
                        private_key=other.key_pem).expect_error(400, "1011")


def test_table_1_4_ca_certificate(site):
    site.refuse_listener(400, site.code("8902", "9899"),
                         client_ca_tls_container_ref=site.certificate["id"])
    site.api.try_create("certificate", type="client", certificate="garbage").expect_error(
        400, "5051")


def serial(service, name: str | None) -> int:
    with service.client(name=name) as client:
        return client.peer_serial


def test_table_1_4_sni(site, ca, server_certificates):
    """Off by default; then the name chooses, and the default certificate serves the rest."""
    service = site.service(modes.ok())
    assert service.listener["sni_container_refs"] == []
    fallback = server_certificates["ec"].serial
    assert serial(service, "one.example") == fallback
    issued = [ca.issue("x.test", key="rsa") for _ in range(2)]
    one, wild = (site.api.make_certificate(pair, domain=domain)
                 for pair, domain in zip(issued, ("one.example", "*.wild.example")))
    service.update_listener(sni_container_refs=[one["id"], wild["id"]])
    wanted = {"one.example": issued[0].serial, "a.wild.example": issued[1].serial,
              "a.b.wild.example": fallback, "wild.example": fallback, None: fallback}
    assert {name: serial(service, name) for name in wanted} == wanted
    service.update_listener(sni_match_algo="longest_suffix")
    assert serial(service, "a.b.wild.example") == issued[1].serial
    service.update_listener(sni_container_refs=[])
    assert serial(service, "one.example") == fallback


def test_table_1_4_sni_certificate_limits(site, ca):
    issued = ca.issue("x.test")

    def upload(domain: str | None) -> str:
        return site.api.make_certificate(issued, domain=domain)["id"]

    refused = site.code("8902", "9899")
    thirty = [upload(f"s{number}.example") for number in range(30)]
    service = site.service(modes.ok(), sni_container_refs=thirty)
    assert serial(service, "s29.example") == issued.serial
    site.refuse_listener(400, refused, sni_container_refs=[*thirty, upload("s30.example")])
    site.refuse_listener(400, refused, sni_container_refs=[upload(None)])
    site.refuse_listener(400, refused, sni_container_refs=[thirty[0], thirty[0]])
    site.refuse_listener(400, refused, sni_container_refs=[thirty[0], upload("s0.example")])
    most = 30 if site.shared else 200
    names = [f"d{number}.example" for number in range(most)]
    whole = [upload(",".join(names[first : first + 10])) for first in range(0, most, 10)]
    assert site.listener(sni_container_refs=whole)["sni_container_refs"] == whole
    site.refuse_listener(400, refused, sni_container_refs=[*whole, upload("more.example")])


def passes(service, source: str) -> bool:
    try:
        with service.client(source=source) as client:
            return client.get().status == 200
    except (ConnectionResetError, ConnectionError):
        return False


def test_table_1_4_access_policy_and_ip_address_group(site):
    """All addresses by default; white lets only the group in, black only the others."""
    service = site.service(modes.ok())
    assert service.listener["ipgroup"] is None
    assert passes(service, "127.0.0.1") and passes(service, "127.0.0.2")
    unknown = {"ipgroup_id": "00000000-0000-4000-8000-000000000000"}
    site.refuse_listener(404, "8904", ipgroup=unknown)
    group = site.api.create("ipgroup", ip_list=[{"ip": "127.0.0.2"}])
    bound = {"ipgroup_id": group["id"]}
    service.update_listener(ipgroup=bound)
    assert service.listener["ipgroup"] == {**bound, "type": "white", "enable_ipgroup": True}
    assert (passes(service, "127.0.0.1"), passes(service, "127.0.0.2")) == (False, True)
    service.update_listener(ipgroup={**bound, "type": "black"})
    assert (passes(service, "127.0.0.1"), passes(service, "127.0.0.2")) == (True, False)
    service.update_listener(ipgroup={"enable_ipgroup": False})
    assert passes(service, "127.0.0.2")
    service.update_listener(ipgroup=None)
    assert passes(service, "127.0.0.1") and passes(service, "127.0.0.2")
    site.refuse_listener(400, site.code("8902", "9899"), ipgroup={**bound, "type": "grey"})
    site.refuse_listener(400, site.code("8902", "8902 9805"), ipgroup={"type": "white"})


def test_table_1_4_http_2(site):
    service = site.service(modes.ok())
    assert service.listener["http2_enable"] is False
    both = client_context(alpn=["h2", "http/1.1"])
    with service.client(tls=both) as client:
        assert client.tls.alpn == "http/1.1"
    service.update_listener(http2_enable=True)
    with H2Client(service.address, service.port) as client:
        assert client.wait_for(client.send_request()).status == 200
    assert service.backends[0].requests[-1].head.start == "GET / HTTP/1.1"
    # Table 3.1 and section 1.9.3 disagree on the code of a wrong type.
    site.refuse_listener(400, site.code("8902", "8902 9899"), http2_enable="yes")


POLICIES = {  # Versions that are let in; strict also refuses SHA-1 suites.
    "tls-1-0": ["1.0", "1.1", "1.2"], "tls-1-1": ["1.1", "1.2"], "tls-1-2": ["1.2"],
    "tls-1-2-strict": ["1.2"],
}  # fmt: skip
DEDICATED = ["tls-1-2-fs", "tls-1-0-with-1-3", "tls-1-2-fs-with-1-3", "hybrid-policy-1-0",
             "tls-1-2-strict-no-cbc"]  # fmt: skip


def accepts(service, version: str, ciphers: str | None = None) -> bool:
    try:
        service.client(tls=client_context(lowest=version, highest=version, ciphers=ciphers)).close()
        return True
    except TlsAlert:
        return False


def test_table_1_4_security_policy(site):
    service = site.service(modes.ok())
    assert service.listener["tls_ciphers_policy"] == "tls-1-0"
    for policy, versions in POLICIES.items():
        service.update_listener(tls_ciphers_policy=policy)
        seen = [version for version in ("1.0", "1.1", "1.2", "1.3") if accepts(service, version)]
        assert seen == versions, policy
        cbc = accepts(service, "1.2", "ECDHE-ECDSA-AES128-SHA")
        assert cbc == (policy != "tls-1-2-strict"), policy
    service.update_listener(tls_ciphers_policy="tls-1-0-inherit")
    for policy in DEDICATED:
        if site.shared:
            site.refuse_listener(400, "9899", tls_ciphers_policy=policy)
        else:
            service.update_listener(tls_ciphers_policy=policy)
            assert accepts(service, "1.3") == policy.endswith("with-1-3"), policy
    site.refuse_listener(400, site.code("8902", "9899"), tls_ciphers_policy="tls-9")


def test_table_1_4_transfer_load_balancer_eip(site):
    service = site.service(modes.ok())
    assert service.listener["insert_headers"]["X-Forwarded-ELB-IP"] is False
    forged = [("X-Forwarded-ELB-IP", "192.0.2.1")]
    service.get("/off", fields=forged)
    service.update_listener(insert_headers={"X-Forwarded-ELB-IP": True})
    service.get("/on", fields=forged)
    off, on = service.backends[0].requests
    assert off.get_all("x-forwarded-elb-ip") == ["192.0.2.1"]
    assert on.get_all("x-forwarded-elb-ip") == [service.address]  # No EIP is bound.
    site.refuse_listener(400, site.code("8902", "8902 9899"),
                         insert_headers={"X-Forwarded-ELB-IP": "yes"})


def test_table_1_4_idle_timeout(site):
    default, highest, none, one = (
        site.service(modes.ok(), **({"keepalive_timeout": value} if value is not None else {}))
        for value in (None, 4000, 0, 1))
    assert default.listener["keepalive_timeout"] == 60

    def stays(service) -> None:
        with service.client() as client:
            assert client.get().keeps
            client.expect_silence(LONG)
            assert client.get().status == 200

    def closes_at_once(service) -> None:
        with service.client() as client:
            assert not client.get().keeps and client.expect_end().orderly

    def closes_after_a_second(service) -> None:
        with service.client() as client:
            before = now()
            assert client.get().keeps
            check_duration(client.expect_end().at - before, 1.0)

    concurrently(lambda: stays(default), lambda: stays(highest), lambda: closes_at_once(none),
                 lambda: closes_after_a_second(one))
    for value in (-1, 4001):
        site.refuse_listener(400, site.code("8902", "9899"), keepalive_timeout=value)


def test_table_1_4_request_timeout(site):
    default, highest, lowest = (
        site.service(modes.ok(), **({"client_timeout": value} if value else {}))
        for value in (None, 300, 1))
    assert default.listener["client_timeout"] == 60

    def waits(service) -> None:
        with service.client() as client:
            client.send(b"GET / HTTP/1.1\r\n")
            client.expect_silence(LONG)
            client.send(b"Host: a\r\n\r\n")
            assert client.read_response().status == 200

    def times_out(service) -> None:
        with service.client() as client:
            before = client.connected_at
            client.send(b"GET / HTTP/1.1\r\n")
            answer = client.read_response()
            assert answer.status == 408
            check_duration(answer.first_byte_at - before, 1.0)

    concurrently(lambda: waits(default), lambda: waits(highest), lambda: times_out(lowest))
    for value in (0, 301):
        site.refuse_listener(400, site.code("8902", "9899"), client_timeout=value)


def test_table_1_4_response_timeout(site):
    default, highest, lowest = (
        site.service(modes.hang(), **({"member_timeout": value} if value else {}))
        for value in (None, 300, 1))
    assert default.listener["member_timeout"] == 60

    def waits(service) -> None:
        with service.client() as client:
            client.send(http1.request())
            client.expect_silence(LONG)

    def times_out(service) -> None:
        with service.client() as client:
            before = now()
            answer = client.get()
            assert answer.status == 504
            check_duration(answer.first_byte_at - before, 1.0)

    concurrently(lambda: waits(default), lambda: waits(highest), lambda: times_out(lowest))
    for value in (0, 301):
        site.refuse_listener(400, site.code("8902", "9899"), member_timeout=value)


def test_table_1_4_response_timeout_tries_other_servers_unless_sticky(site):
    """Two servers, one of them hung: hidden by a second attempt; with sticky sessions 504."""
    plain = site.service(modes.hang(), modes.ok(), member_timeout=1)
    sticky = site.service(modes.hang(), modes.ok(), member_timeout=1,
                          pool={"session_persistence": {"type": "HTTP_COOKIE"}})
    results = concurrently(*[lambda s=s: ask(s, "https").status for s in (plain, plain)])
    assert results == [200, 200]
    results = concurrently(*[lambda s=s: ask(s, "https").status for s in (sticky, sticky)])
    assert sorted(results) == [200, 504]


def test_table_1_4_tag(site):
    assert site.listener()["tags"] == []
    most = [{"key": f"k{number}", "value": "v"} for number in range(19)]
    most.append({"key": "k" * 36, "value": "v" * 43})
    assert site.listener(tags=most)["tags"] == most
    refused = site.code("8902", "9899")
    for tags in ([*most, {"key": "one too many", "value": ""}],
                 [{"key": "k" * 37, "value": ""}], [{"key": "k", "value": "v" * 44}],
                 [{"key": "", "value": ""}],
                 [{"key": "k", "value": "1"}, {"key": "k", "value": "2"}]):
        site.refuse_listener(400, refused, tags=tags)


def test_table_1_4_description(site):
    assert site.listener()["description"] == ""
    assert site.listener(description="d" * 255)["description"] == "d" * 255
    site.refuse_listener(400, site.code("8902", "6031"), description="d" * 256)


def test_table_1_4_a_port_of_a_deleted_listener_is_free_again(site):
    service = site.service(modes.ok())
    site.api.call("DELETE", f"listeners/{service.listener['id']}/force").expect(204)
    with pytest.raises(ConnectionRefusedError):
        RawClient(service.address, service.port)
    assert site.service(modes.ok(), protocol_port=service.port).get().status == 200
