"""Access control by IP groups (data-plane.md 3)."""

from __future__ import annotations

import itertools
import threading

import pytest

from rig.clients import How, RawClient
from rig.h2client import H2Client
from rig.timing import wait_until
from rig.tls import SUITES, client_hello

ONE, TWO = "127.0.0.1", "127.0.0.2"  #: The addresses of the clients.
ENTRIES_MAX = 300


@pytest.fixture(params=["http", "https"])
def service(api, lb, backend, certificate, request):
    more = {"certificate": certificate, "http2_enable": True} if request.param == "https" else {}
    return api.make_service(lb, [backend()], port=8080, **more)


def group(api, *addresses: str) -> str:
    return api.create("ipgroup", ip_list=[{"ip": address} for address in addresses])["id"]


def bind(service, kind: str, *addresses: str, enabled: bool = True) -> str:
    """Puts a new group of these addresses in front of the listener; returns the group's id."""
    made = group(service.api, *addresses)
    service.update_listener(ipgroup={"ipgroup_id": made, "type": kind, "enable_ipgroup": enabled})
    return made


def is_blocked(service, source: str, port: int | None = None) -> bool:
    """Whether a client from `source` is reset without a byte (over TLS: before the ServerHello);
    otherwise it has to be served."""
    try:
        with RawClient(service.address, port or service.port, source=source) as client:
            if service.is_tls:
                client.send_quietly(client_hello("1.2", list(SUITES.values()), "a.test"))
            else:
                client.send_quietly(b"GET /acl HTTP/1.1\r\nHost: a.test\r\n\r\n")
            first = client.receive()
            if first:
                assert first[:1] in (b"\x16", b"H"), first
                return False
            assert client.end.how is How.RST, client.end
            return True
    except ConnectionResetError:
        return True


def verdicts(service) -> tuple[bool, bool]:
    """Whether ONE and TWO are blocked."""
    return is_blocked(service, ONE), is_blocked(service, TWO)


# --- T3.1, T3.2 ----------------------------------------------------------------------------------


def test_T3_1_white_lets_only_the_listed_in(daemon, service):
    bind(service, "white", TWO)
    before = len(daemon.access_log.lines())
    assert is_blocked(service, ONE)
    with service.client(source=TWO) as client:
        assert client.get("/listed-in").status == 200
    labels = {"lbaas_listener_id": service.listener["id"]}
    wait_until(lambda: daemon.metrics().total("elb_ipgroup_blocked_connections", **labels) == 1,
               5, "the refusal in the metrics")
    wait_until(lambda: len(daemon.access_log.lines()) > before, 5, "the line of the one served")
    assert len(daemon.access_log.lines()) == before + 1


def test_T3_1_black_keeps_the_listed_out(service):
    bind(service, "black", TWO)
    assert verdicts(service) == (False, True)


def test_T3_1_another_type_inverts_at_once(service):
    made = bind(service, "white", TWO)
    assert verdicts(service) == (True, False)
    service.update_listener(ipgroup={"ipgroup_id": made, "type": "black"})
    assert verdicts(service) == (False, True)
    service.update_listener(ipgroup=None)
    assert verdicts(service) == (False, False)


@pytest.mark.parametrize("kind, blocked", [("white", True), ("black", False)])
def test_T3_2_an_empty_group(service, kind, blocked):
    bind(service, kind)
    assert verdicts(service) == (blocked, blocked)


def test_T3_2_a_disabled_group_lets_everyone_in(service):
    made = bind(service, "white", TWO, enabled=False)
    assert verdicts(service) == (False, False)
    service.update_listener(ipgroup={"ipgroup_id": made, "type": "white", "enable_ipgroup": True})
    assert verdicts(service) == (True, False)


def test_3_1_the_defaults_are_white_and_enabled(service):
    service.update_listener(ipgroup={"ipgroup_id": group(service.api, TWO)})
    assert verdicts(service) == (True, False)


def test_3_1_a_listener_beside_it_is_independent(service, backend):
    bind(service, "white", TWO)
    other = service.api.make_service(service.lb, [backend()], port=8088)
    assert other.get().status == 200
    assert is_blocked(service, ONE)


# --- T3.3: what is already open ------------------------------------------------------------------


def test_T3_3_an_established_connection_goes_on(service):
    with service.client(source=ONE) as client:
        assert client.get("/before").status == 200
        bind(service, "white", TWO)
        assert client.get("/after").status == 200
        assert is_blocked(service, ONE)
        assert client.get("/once-more").status == 200


def test_T3_3_new_streams_on_an_established_connection_go_on(api, lb, backend, certificate):
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate,
                               http2_enable=True)
    with service.h2(source=ONE) as client:
        assert client.get("/before").status == 200
        bind(service, "white", TWO)
        assert client.get("/after").status == 200
        assert is_blocked(service, ONE)
        streams = [client.send_request(f"/{number}") for number in range(10)]
        client.wait_for(*streams)
        assert {client.streams[stream].status for stream in streams} == {200}


# --- T3.4, T3.5: what counts as an address -------------------------------------------------------


def test_T3_4_networks_and_mapped_addresses(service):
    bind(service, "white", "10.0.0.0/8", "2001:db8::/32", f"::ffff:{TWO}")
    assert verdicts(service) == (True, False)


@pytest.mark.parametrize("entries, blocked", [
    (["0.0.0.0"], (False, False)),
    (["0.0.0.0/0"], (True, True)),
    (["::/0"], (False, False)),
    (["127.0.0.1/32"], (True, False)),
    (["127.0.0.3/31"], (False, True)),
    (["127.0.0.0/30"], (True, True)),
    (["::ffff:127.0.0.0/126"], (True, True)),
    (["127.0.0.1", "127.0.0.1", "127.0.0.1/32"], (True, False)),
    (["126.0.0.0/8", "128.0.0.0/1"], (False, False)),
], ids=str)  # fmt: skip
def test_T3_4_entries_in_black(service, entries, blocked):
    bind(service, "black", *entries)
    assert verdicts(service) == blocked


def test_T3_5_what_a_client_says_about_itself_plays_no_role(service):
    bind(service, "white", TWO)
    says = (b"PROXY TCP4 127.0.0.2 127.0.0.2 1 2\r\nGET / HTTP/1.1\r\nHost: a.test\r\n"
            b"X-Forwarded-For: 127.0.0.2\r\nX-Real-IP: 127.0.0.2\r\n\r\n")  # fmt: skip
    for data in (says, says[says.index(b"GET") :]):
        try:
            with RawClient(service.address, service.port, source=ONE) as client:
                client.send_quietly(data)
                assert client.read_rest() == b""
                assert client.end.how is How.RST
        except ConnectionResetError:
            pass
    assert service.backends[0].requests == []


# --- T3.6: before any policy ---------------------------------------------------------------------


def test_T3_6_a_listener_that_only_redirects_blocks_as_well(api, lb, certificate):
    secure = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTPS",
                        protocol_port=8443, default_tls_container_ref=certificate["id"])
    plain = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=8080)
    api.create("l7policy", listener_id=plain["id"], action="REDIRECT_TO_LISTENER",
               redirect_listener_id=secure["id"])
    client = RawClient(lb["vip_address"], 8080, source=ONE)
    with client:
        assert client.get("/moved").status == 301
    api.update("listener", plain["id"], ipgroup={"ipgroup_id": group(api, ONE), "type": "black"})
    try:
        with RawClient(lb["vip_address"], 8080, source=ONE) as client:
            client.send_quietly(b"GET /moved HTTP/1.1\r\nHost: a.test\r\n\r\n")
            assert client.read_rest() == b""
            assert client.end.how is How.RST
    except ConnectionResetError:
        pass
    with RawClient(lb["vip_address"], 8080, source=TWO) as client:
        assert client.get("/moved").status == 301


# --- T3.7: changes under load --------------------------------------------------------------------


def many(*special: str, offset: int = 0) -> list[dict]:
    """Entries up to the limit: these, and others that match nobody here."""
    others = ENTRIES_MAX - len(special)
    fill = [f"10.{offset}.{number // 250}.{number % 250 + 1}" for number in range(others)]
    return [{"ip": address} for address in (*fill[: others // 2], *special, *fill[others // 2 :])]


def test_T3_7_swapping_a_large_group_gives_no_wrong_verdict(api, lb, backend):
    """The allowed probe is always served, the denied one always reset."""
    service = api.make_service(lb, [backend()], port=8080)
    made = api.create("ipgroup", ip_list=many(TWO))["id"]
    service.update_listener(ipgroup={"ipgroup_id": made, "type": "white"})
    done, wrong, probes = threading.Event(), [], itertools.count()

    def probe(source: str, blocked: bool) -> None:
        while not done.is_set():
            next(probes)
            if is_blocked(service, source) != blocked:
                wrong.append(source)

    threads = [threading.Thread(target=probe, args=given, daemon=True)
               for given in ((ONE, True), (TWO, False)) * 2]  # fmt: skip
    for thread in threads:
        thread.start()
    for swap in range(100):
        api.update("ipgroup", made, ip_list=many(TWO, offset=swap % 2))
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert next(probes) > 100


def test_3_2_an_edit_counts_for_all_listeners_of_the_group(api, lb, backend):
    services = [api.make_service(lb, [backend()], port=port) for port in (8081, 8082)]
    made = group(api, TWO)
    for service in services:
        service.update_listener(ipgroup={"ipgroup_id": made, "type": "white"})
    assert [verdicts(service) for service in services] == [(True, False)] * 2
    api.update("ipgroup", made, ip_list=[{"ip": ONE}])
    assert [verdicts(service) for service in services] == [(False, True)] * 2
    path = f"ipgroups/{made}/iplist/"
    api.call("POST", path + "create-or-update", {"ipgroup": {"ip_list": [{"ip": TWO}]}}).expect(200)
    assert [verdicts(service) for service in services] == [(False, False)] * 2
    api.call("POST", path + "batch-delete", {"ipgroup": {"ip_list": [{"ip": ONE}]}}).expect(200)
    assert [verdicts(service) for service in services] == [(True, False)] * 2


def test_3_2_a_group_in_use_cannot_be_deleted(api, lb, backend):
    service = api.make_service(lb, [backend()], port=8080)
    made = group(api, TWO)
    service.update_listener(ipgroup={"ipgroup_id": made, "enable_ipgroup": False})
    api.try_delete("ipgroup", made).expect_error(409, "8907")
    service.update_listener(ipgroup=None)
    api.delete("ipgroup", made)


def test_3_2_a_full_group_is_full(api):
    made = api.create("ipgroup", ip_list=many())
    assert len(made["ip_list"]) == ENTRIES_MAX
    more = {"ipgroup": {"ip_list": [{"ip": "192.0.2.1"}]}}
    path = f"ipgroups/{made['id']}/iplist/create-or-update"
    api.call("POST", path, more).expect_error(409, "8905")
    api.try_create("ipgroup", ip_list=[*many(), {"ip": "192.0.2.1"}]).expect_error(409, "8905")


def test_T3_1_a_blocked_http2_client_gets_no_byte(api, lb, backend, certificate):
    """A blocked client gets no TLS byte even when it would speak HTTP/2."""
    service = api.make_service(lb, [backend()], port=8443, certificate=certificate,
                               http2_enable=True)
    bind(service, "white", TWO)
    with pytest.raises((ConnectionResetError, ConnectionError)):
        H2Client(service.address, service.port, source=ONE)
    with service.h2(source=TWO) as client:
        assert client.get().status == 200
