"""Proxies in front that tell the client's address (api-extensions.md 10.3)."""

from __future__ import annotations

import itertools

import pytest

from conformance.fronts import FRONTS, Asker, make_front
from rig import http1
from rig.clients import How, RawClient
from rig.timing import Span, wait_until

PROXY, STRANGER = "127.0.0.2", "127.0.0.3"  #: Sources of connections.
CLIENT = "198.51.100.7"
_unique = itertools.count()


@pytest.fixture
def lb(group, lb):
    """The groups' last user goes first."""
    return lb


def settings(mode: str, made: str, **more) -> dict:
    return {"extensions": {"front_proxy": {"mode": mode, "trusted_ipgroup_id": made, **more}}}


def v1(address: str = CLIENT, port: int = 4127) -> bytes:
    family, other = ("TCP6", "::1") if ":" in address else ("TCP4", "127.0.0.9")
    return f"PROXY {family} {address} {other} {port} 80\r\n".encode()


def v2(address: str = CLIENT, port: int = 4127, more: bytes = b"", command: int = 0x21) -> bytes:
    octets = bytes(int(part) for part in address.split("."))
    block = octets + bytes([127, 0, 0, 9]) + port.to_bytes(2, "big") + b"\0\x50" + more
    return (b"\r\n\r\n\0\r\nQUIT\n" + bytes([command, 0x11]) + len(block).to_bytes(2, "big") + block)


LOCAL = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00"


@pytest.fixture(params=FRONTS)
def front(request):
    return request.param


@pytest.fixture
def make(api, lb, backend, certificate, front, group):
    """A listener of each kind behind PROXY; backends see X-Real-IP and X-Forwarded-For-Port."""

    def build(mode: str, members: int = 1, **more):
        made = group(PROXY)
        fields = {"insert_headers": {"X-Real-IP": True, "X-Forwarded-For-Port": True}, **more}
        service = make_front(api, lb, [backend() for _ in range(members)], front, certificate,
                             **settings(mode, made, others=fields.pop("others", "refuse")),
                             **fields)
        service.proxies = made
        return service

    return build


@pytest.fixture
def plain(api, lb, backend, group):
    """An HTTP listener behind PROXY, for cases that end before TLS."""
    made = group(PROXY)
    service = api.make_service(lb, [backend()], **settings("proxy_protocol", made))
    service.proxies = made
    return service


def serve(daemon, service, front: str, *, source: str = PROXY, ahead: bytes = b"", fields=()):
    """What the backend sees and the log has of one request on a connection of its own."""
    target = f"/front-{next(_unique)}-"
    with Asker(service, front, source, ahead) as asker:
        assert asker.ask(target, fields=fields).status == 200
    (seen,) = [r for r in service.backends[0].requests if r.target == target]
    return {name.lower(): value for name, value in seen.headers}, daemon.access_log.wait_for(target)


def is_reset(service, front: str, *, source: str = PROXY, ahead: bytes = b"") -> bool:
    """Whether a connection is reset without a byte; otherwise it has to be served."""
    try:
        with Asker(service, front, source, ahead) as asker:
            if front == "http":
                asker.connect().client.send_quietly(http1.request("/reset"))
                if asker.client.receive():
                    return False
                assert asker.client.end.how is How.RST, asker.client.end
                return True
            return asker.ask("/reset").status is None
    except (ConnectionResetError, ConnectionError):
        return True


# --- PROXY protocol -------------------------------------------------------------------------------


@pytest.mark.parametrize("header", [v1(), v2(), v2(more=b"\x04\0\x02zz")],
                         ids=["v1", "v2", "v2-with-extensions"])
def test_E10_3_the_address_in_the_header_is_the_client(daemon, make, front, header):
    seen, line = serve(daemon, make("proxy_protocol"), front, ahead=header)
    assert seen["x-forwarded-for"] == seen["x-real-ip"] == CLIENT
    assert seen["x-forwarded-for-port"] == "4127"
    assert (line["remote_addr"], line["remote_port"]) == (CLIENT, 4127)
    assert line["peer_addr"] == PROXY


def test_E10_3_ipv6_and_mapped_addresses(daemon, make, front):
    service = make("proxy_protocol")
    seen, line = serve(daemon, service, front, ahead=v1("2001:db8::7"))
    assert seen["x-real-ip"] == line["remote_addr"] == "2001:db8::7"
    seen, _ = serve(daemon, service, front, ahead=v1(f"::ffff:{CLIENT}"))
    assert seen["x-real-ip"] == CLIENT


@pytest.mark.parametrize("header", [LOCAL, v2(command=0x20), b"PROXY UNKNOWN\r\n",
                                    b"PROXY UNKNOWN and more\r\n"], ids=repr)
def test_E10_3_a_proxy_that_speaks_for_itself_is_the_client(daemon, make, front, header):
    seen, line = serve(daemon, make("proxy_protocol"), front, ahead=header)
    assert seen["x-real-ip"] == line["remote_addr"] == line["peer_addr"] == PROXY


@pytest.mark.parametrize("header", [v1(), v2()], ids=["v1", "v2"])
def test_E10_3_a_header_in_single_bytes(daemon, plain, header):
    target = f"/front-{next(_unique)}-"
    with RawClient(plain.address, plain.port, source=PROXY) as client:
        for byte in header + http1.request(target):
            client.send(bytes([byte]))
        assert client.read_response().status == 200
    assert daemon.access_log.wait_for(target)["remote_addr"] == CLIENT


def test_E10_3_what_comes_with_the_header_is_read_on(daemon, plain):
    """Two requests and the header in one segment."""
    one, two = (f"/front-{next(_unique)}-" for _ in range(2))
    with RawClient(plain.address, plain.port, source=PROXY) as client:
        client.send(v2() + http1.request(one) + http1.request(two))
        assert [client.read_response().status for _ in range(2)] == [200, 200]
        client.send(http1.request("/later"))
        assert client.read_response().status == 200
    assert {daemon.access_log.wait_for(target)["remote_addr"] for target in (one, two)} == {CLIENT}


@pytest.mark.parametrize("header", [
    b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
    b"PROXY TCP4 198.51.100.7 127.0.0.9 1\r\n",
    b"PROXY TCP4 2001:db8::7 ::1 1 2\r\n",
    b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    v2(command=0x11),
    v2(more=b"\0" * (4097 - 28)),
], ids=["none", "short", "family", "108-bytes", "version", "4097-bytes"])  # fmt: skip
def test_E10_3_no_good_header_is_a_reset(daemon, plain, header):
    labels = {"lbaas_listener_id": plain.listener["id"]}
    try:
        with RawClient(plain.address, plain.port, source=PROXY) as client:
            client.send_quietly(header)
            assert client.expect_end().how is How.RST
    except ConnectionResetError:
        pass
    assert plain.backends[0].requests == []
    wait_until(lambda: daemon.metrics().total("elb_dropped_connections", **labels) == 1,
               5, "the connection in the metrics")


def test_E10_3_a_header_of_4096_bytes_is_one(daemon, plain):
    target = f"/front-{next(_unique)}-"
    with RawClient(plain.address, plain.port, source=PROXY) as client:
        client.send(v2(more=b"\0" * (4096 - 28)) + http1.request(target))
        assert client.read_response().status == 200
    assert daemon.access_log.wait_for(target)["remote_addr"] == CLIENT


def test_E10_3_a_truncated_header_has_five_seconds(plain):
    with RawClient(plain.address, plain.port, source=PROXY) as client:
        client.send(v2()[:20])
        end = client.expect_end()
        assert end.how is How.RST
        Span(client.connecting_at, client.connected_at).check(end.at, 5)


def test_E10_3_from_untrusted_peers_nothing_is_believed(daemon, make, front):
    service = make("proxy_protocol")
    labels = {"lbaas_listener_id": service.listener["id"]}
    assert is_reset(service, front, source=STRANGER, ahead=v1())
    assert is_reset(service, front, source=STRANGER)
    wait_until(lambda: daemon.metrics().total("elb_ipgroup_blocked_connections", **labels) == 2,
               5, "the refusals in the metrics")
    service.update_listener(**settings("proxy_protocol", service.proxies, others="direct"))
    seen, line = serve(daemon, service, front, source=STRANGER)
    assert seen["x-real-ip"] == line["remote_addr"] == line["peer_addr"] == STRANGER


def test_E10_3_a_header_of_a_stranger_is_no_http(make, front):
    if front != "http":
        pytest.skip("over TLS it is no handshake")
    service = make("proxy_protocol", others="direct")
    with RawClient(service.address, service.port, source=STRANGER) as client:
        client.send(v1() + http1.request())
        assert client.read_response().status == 400
    assert service.backends[0].requests == []


def test_E10_3_access_control_runs_on_the_inner_address(api, make, front, group):
    service = make("proxy_protocol")
    made = group("198.51.100.0/24")
    service.update_listener(ipgroup={"ipgroup_id": made, "type": "black"})
    assert is_reset(service, front, ahead=v2())
    assert not is_reset(service, front, ahead=v2("203.0.113.5"))
    api.update("ipgroup", made, ip_list=[{"ip": PROXY}])
    assert not is_reset(service, front, ahead=v2())
    assert is_reset(service, front, ahead=LOCAL)
    service.update_listener(ipgroup={"ipgroup_id": made, "type": "white"})
    assert is_reset(service, front, ahead=v2())
    assert not is_reset(service, front, ahead=LOCAL)


def test_E10_3_limits_count_connections_whose_client_is_known(plain):
    plain.update_listener(connection_limit=1)
    with RawClient(plain.address, plain.port, source=PROXY) as waiting:
        waiting.send(b"PROXY ")
        with RawClient(plain.address, plain.port, source=PROXY, ahead=v1()) as client:
            client.send(http1.request())
            assert client.read_response().status == 200
            assert is_reset(plain, "http", ahead=v1())


def test_10_3_the_group_changes_live(api, make, front):
    service = make("proxy_protocol")
    with Asker(service, front, PROXY, v1()) as asker:
        assert asker.ask("/before").status == 200
        api.update("ipgroup", service.proxies, ip_list=[{"ip": STRANGER}])
        assert asker.ask("/on-the-connection-that-is-there").status == 200
        assert is_reset(service, front, ahead=v1())
        assert not is_reset(service, front, source=STRANGER, ahead=v1())


def test_10_3_the_mode_counts_for_new_connections(make, front):
    service = make("proxy_protocol")
    service.update_listener(extensions={"front_proxy": {"mode": "off"}})
    with Asker(service, front, STRANGER) as asker:
        assert asker.ask("/before").status == 200
        service.update_listener(**settings("proxy_protocol", service.proxies))
        assert asker.ask("/on-the-connection-that-is-there").status == 200
        assert is_reset(service, front, source=STRANGER)


# --- fields -------------------------------------------------------------------------------------


FIELDS = {
    "x_forwarded_for": lambda *addresses: ("X-Forwarded-For", ", ".join(addresses)),
    "forwarded": lambda *addresses: ("Forwarded", ", ".join(f"for={each}" for each in addresses)),
}


@pytest.fixture(params=FIELDS)
def mode(request):
    return request.param


def test_E10_3_the_last_address_that_is_no_proxy_is_the_client(daemon, make, front, mode):
    service = make(mode)
    field = FIELDS[mode]("9.9.9.9", CLIENT)
    seen, line = serve(daemon, service, front, fields=[field])
    assert seen["x-real-ip"] == line["remote_addr"] == CLIENT
    assert line["peer_addr"] == PROXY
    seen, line = serve(daemon, service, front, fields=[FIELDS[mode]("9.9.9.9", CLIENT, PROXY)])
    assert seen["x-real-ip"] == line["remote_addr"] == CLIENT
    seen, line = serve(daemon, service, front)
    assert seen["x-real-ip"] == line["remote_addr"] == PROXY


def test_E10_3_the_field_of_a_stranger_says_nothing(daemon, make, front, mode):
    service = make(mode)
    assert is_reset(service, front, source=STRANGER)
    service.update_listener(**settings(mode, service.proxies, others="direct"))
    field = FIELDS[mode]("9.9.9.9", CLIENT)
    seen, line = serve(daemon, service, front, source=STRANGER, fields=[field])
    assert seen["x-real-ip"] == line["remote_addr"] == line["peer_addr"] == STRANGER


def test_10_3_the_field_itself_is_handled_as_ever(daemon, make, front, mode):
    field = FIELDS[mode]("9.9.9.9", CLIENT)
    seen, _ = serve(daemon, make(mode), front, fields=[field])
    if mode == "x_forwarded_for":
        assert seen["x-forwarded-for"] == f"9.9.9.9, {CLIENT}, {PROXY}"
    else:
        assert seen["forwarded"] == field[1]
        assert seen["x-forwarded-for"] == PROXY


def test_E10_3_access_control_judges_each_request(daemon, api, make, front, mode, group):
    service = make(mode)
    made = group("198.51.100.0/24", PROXY)
    service.update_listener(ipgroup={"ipgroup_id": made, "type": "black"})
    with Asker(service, front, PROXY) as asker:
        target = f"/front-{next(_unique)}-"
        reply = asker.ask(target, fields=[FIELDS[mode](CLIENT)])
        assert reply.status == 403 and not reply.closes
        line = daemon.access_log.wait_for(target)
        assert (line["error_reason"], line["remote_addr"]) == ("access_denied", CLIENT)
        assert asker.ask(fields=[FIELDS[mode]("203.0.113.5")]).status == 200
        assert asker.ask().status == 403
        api.update("ipgroup", made, ip_list=[{"ip": "192.0.2.0/24"}])
        assert asker.ask(fields=[FIELDS[mode](CLIENT)]).status == 200
    assert [r.target for r in service.backends[0].requests if r.target == target] == []


def test_10_3_each_request_tells_its_own_client(daemon, make, front, mode):
    service = make(mode)
    with Asker(service, front, PROXY) as asker:
        for address in (CLIENT, "203.0.113.5", CLIENT):
            target = f"/front-{next(_unique)}-"
            assert asker.ask(target, fields=[FIELDS[mode](address)]).status == 200
            assert daemon.access_log.wait_for(target)["remote_addr"] == address


def test_10_3_forwarded_with_quotes_and_ports(daemon, make, front):
    service = make("forwarded")
    value = 'for=1.1.1.1, FOR="[2001:db8::7]:4711";proto=https;host="a,b"'
    seen, line = serve(daemon, service, front, fields=[("Forwarded", value)])
    assert seen["x-real-ip"] == line["remote_addr"] == "2001:db8::7"
    assert line["remote_port"] == 4711
    for hidden in ("for=1.1.1.1, for=unknown", 'for=1.1.1.1, for="_x"', "for=1.1.1.1, proto=http"):
        seen, _ = serve(daemon, service, front, fields=[("Forwarded", hidden)])
        assert seen["x-real-ip"] == PROXY


# --- what the client's address decides ------------------------------------------------------------


def test_10_3_source_ip_rules_see_the_client(api, make, front, mode):
    service = make(mode, enhance_l7policy_enable=True)
    policy = api.create("l7policy", listener_id=service.listener["id"], action="FIXED_RESPONSE",
                        priority=1, fixed_response_config={"status_code": "418"},
                        rules=[{"type": "SOURCE_IP", "compare_type": "EQUAL_TO", "value": "",
                                "conditions": [{"value": "198.51.100.0/24"}]}])
    assert policy["id"]
    with Asker(service, front, PROXY) as asker:
        assert asker.ask(fields=[FIELDS[mode](CLIENT)]).status == 418
        assert asker.ask(fields=[FIELDS[mode]("203.0.113.5")]).status == 200


def test_10_3_source_ip_rules_see_the_client_of_a_header(api, make, front):
    service = make("proxy_protocol", enhance_l7policy_enable=True)
    api.create("l7policy", listener_id=service.listener["id"], action="FIXED_RESPONSE", priority=1,
               fixed_response_config={"status_code": "418"},
               rules=[{"type": "SOURCE_IP", "compare_type": "EQUAL_TO", "value": "",
                       "conditions": [{"value": f"{CLIENT}/32"}]}])
    for address, status in ((CLIENT, 418), ("203.0.113.5", 200)):
        with Asker(service, front, PROXY, v2(address)) as asker:
            assert asker.ask().status == status


@pytest.mark.parametrize("mode", ["proxy_protocol", *FIELDS])
def test_10_3_the_source_ip_algorithm_hashes_the_client(make, front, mode):
    """Many clients behind one proxy spread; each of them stays."""
    service = make(mode, members=3, pool={"lb_algorithm": "SOURCE_IP"})
    clients = [f"198.51.100.{number}" for number in range(1, 31)]

    def member_of(address: str) -> int:
        header = mode == "proxy_protocol"
        with Asker(service, front, PROXY, v2(address) if header else b"") as asker:
            fields = [] if header else [FIELDS[mode](address)]
            return asker.ask(fields=fields).json()["port"]

    first = [member_of(address) for address in clients]
    assert len(set(first)) == 3
    assert [member_of(address) for address in clients] == first


# --- configuration --------------------------------------------------------------------------------


def test_10_3_a_group_in_use_stays_but_is_not_bound(api, lb, group):
    made = group(PROXY)
    listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=80,
                          **settings("proxy_protocol", made))
    other = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=81,
                       extensions={"request_id": {"mode": "trusted", "trusted_ipgroup_id": made}})
    answer = api.try_delete("ipgroup", made).expect_error(409, "8907")
    assert {blocker["id"] for blocker in answer.body["blockers"]} == {listener["id"], other["id"]}
    assert api.show("ipgroup", made)["listeners"] == []
    api.update("listener", listener["id"], extensions={"front_proxy": None})
    api.try_delete("ipgroup", made).expect_error(409, "8907")
    api.update("listener", other["id"], extensions=None)
    api.delete("ipgroup", made)


@pytest.mark.parametrize("guaranteed", [True, False])
@pytest.mark.parametrize("wrong, path", [
    ({"mode": "magic"}, "mode"),
    ({"others": "perhaps"}, "others"),
    ({"trusted_ipgroup_id": None}, "trusted_ipgroup_id"),
    ({"trusted_ipgroup_id": "0" * 32}, "trusted_ipgroup_id"),
], ids=str)  # fmt: skip
def test_10_3_wrong_settings_are_refused(api, guaranteed, wrong, path, group):
    more = {} if guaranteed else {"guaranteed": False, "ip_target_enable": False}
    lb = api.make_lb(**more)
    try:
        given = {"mode": "proxy_protocol", "trusted_ipgroup_id": group(PROXY), **wrong}
        answer = api.try_create("listener", loadbalancer_id=lb["id"], protocol="HTTP",
                                protocol_port=80, extensions={"front_proxy": given})
        answer.expect_error(400, "8902")
        paths = [detail["path"] for detail in answer.body["details"]]
        assert paths == [f"listener.extensions.front_proxy.{path}"]
    finally:
        api.drop_lb(lb["id"])


def test_10_3_fields_are_for_http_listeners_only(api, lb, group):
    for mode, status in (("proxy_protocol", 201), ("x_forwarded_for", 400), ("forwarded", 400)):
        answer = api.try_create("listener", loadbalancer_id=lb["id"], protocol="TCP",
                                protocol_port=9000, **settings(mode, group(PROXY)))
        if status == 201:
            answer.expect(201)
            api.delete("listener", answer.body["listener"]["id"])
        else:
            answer.expect_error(400, "8902")
