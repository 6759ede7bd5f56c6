"""Pools, members and health monitors through the API (api-v3.md 2.3, 2.4, 2.5)."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture
def pool(api, lb):
    return api.make_pool(lb["id"])


# --- pools --------------------------------------------------------------------------------------


def test_defaults_of_a_pool(api, lb, pool):
    expected = {
        "name": "", "description": "", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
        "admin_state_up": True, "listeners": [], "loadbalancers": [{"id": lb["id"]}],
        "members": [], "healthmonitor_id": None, "session_persistence": None, "slow_start": None,
        "member_deletion_protection_enable": False, "ip_version": "v4", "type": "", "vpc_id": "",
        "protection_status": "nonProtection", "protection_reason": "",
    }  # fmt: skip
    assert {key: pool.get(key, "absent") for key in expected} == expected
    assert api.make_pool(lb["id"], protocol="TCP")["ip_version"] == "dualstack"


@pytest.mark.parametrize("fields, status", [
    ({"protocol": ...}, 400), ({"lb_algorithm": ...}, 400), ({"loadbalancer_id": ...}, 400),
    ({"protocol": "SCTP"}, 400), ({"lb_algorithm": "round_robin"}, 400),
    ({"lb_algorithm": "QUIC_CID"}, 400), ({"loadbalancer_id": str(uuid.uuid4())}, 404),
    ({"listener_id": str(uuid.uuid4())}, 404), ({"admin_state_up": False}, 400),
    ({"session_persistence": {"type": "SOURCE_IP"}}, 400),
    ({"session_persistence": {"type": "APP_COOKIE", "cookie_name": "c"}}, 400),
    ({"session_persistence": {}}, 400),
    ({"session_persistence": {"type": "HTTP_COOKIE", "persistence_timeout": 1441}}, 400),
    ({"session_persistence": {"type": "HTTP_COOKIE", "cookie_name": "x"}}, 400),
    ({"session_persistence": {"type": "HTTP_COOKIE"}, "lb_algorithm": "LEAST_CONNECTIONS"}, 400),
    ({"slow_start": {"enable": True, "duration": 29}}, 400),
    ({"slow_start": {"enable": True}, "protocol": "TCP"}, 400),
    ({"pool_health": {"minimum_healthy_member_count": 2}}, 400),
    ({"type": "instance"}, 400), ({"type": "vm"}, 400),
])  # fmt: skip
def test_refused_pools(api, lb, fields, status):
    given = {"loadbalancer_id": lb["id"], "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN",
             **fields}  # fmt: skip
    given = {key: value for key, value in given.items() if value is not ...}
    code = "8904" if status == 404 else "8902"
    api.try_create("pool", **given).expect_error(status, code)
    assert api.list("pool", loadbalancer_id=lb["id"]) == []


def test_session_persistence_is_replaced_by_rules(api, lb):
    pool = api.make_pool(lb["id"], session_persistence={"type": "HTTP_COOKIE"})
    stored = {"type": "HTTP_COOKIE", "cookie_name": None, "persistence_timeout": 1440}
    assert pool["session_persistence"] == stored
    kept = api.update("pool", pool["id"], session_persistence={"persistence_timeout": 20})
    assert kept["session_persistence"] == {**stored, "persistence_timeout": 20}
    refused = api.try_update("pool", pool["id"], {"lb_algorithm": "SOURCE_IP"})
    refused.expect_error(400, "8902")
    off = api.update("pool", pool["id"], session_persistence=None)
    assert off["session_persistence"] is None
    assert api.update("pool", pool["id"], lb_algorithm="SOURCE_IP")["lb_algorithm"] == "SOURCE_IP"


def test_a_pool_for_a_listener_becomes_its_default(api, lb):
    listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=80)
    fields = {"protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN", "listener_id": listener["id"]}
    pool = api.create("pool", **fields)
    assert pool["loadbalancers"] == [{"id": lb["id"]}]
    assert pool["listeners"] == [{"id": listener["id"]}]
    assert api.show("listener", listener["id"])["default_pool_id"] == pool["id"]
    api.try_create("pool", **fields).expect_error(409, "8907")


def test_deleting_a_default_pool_unbinds_it(api, lb):
    pool = api.make_pool(lb["id"])
    listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=80,
                          default_pool_id=pool["id"])  # fmt: skip
    api.delete("pool", pool["id"])
    assert api.show("listener", listener["id"])["default_pool_id"] is None


def test_what_blocks_deleting_a_pool(api, pool, backend):
    member = api.add_member(pool["id"], backend())
    monitor = api.add_monitor(pool["id"])
    answer = api.try_delete("pool", pool["id"]).expect_error(409, "8907")
    assert {blocker["kind"] for blocker in answer.body["blockers"]} == {"member", "healthmonitor"}
    api.delete("member", member["id"], pool["id"])
    api.try_delete("pool", pool["id"]).expect_error(409, "8907")
    api.delete("healthmonitor", monitor["id"])
    api.delete("pool", pool["id"])


def test_removal_protection(api, lb, backend):
    pool = api.make_pool(lb["id"], member_deletion_protection_enable=True)
    member = api.add_member(pool["id"], backend())
    api.try_delete("member", member["id"], pool["id"]).expect_error(409, "8907")
    api.call("DELETE", f"loadbalancers/{lb['id']}/force-elb").expect_error(409, "8907")
    assert api.show("member", member["id"], pool["id"])["id"] == member["id"]
    api.update("pool", pool["id"], member_deletion_protection_enable=False)
    api.delete("member", member["id"], pool["id"])
    api.update("pool", pool["id"], member_deletion_protection_enable=True)
    api.delete("pool", pool["id"])


def test_protocol_of_a_pool_never_changes(api, pool):
    api.try_update("pool", pool["id"], {"protocol": "TCP"}).expect_error(400, "8902")
    assert api.update("pool", pool["id"], protocol="HTTP") == pool


# --- members ------------------------------------------------------------------------------------


def test_defaults_of_a_member(api, pool, backend):
    member = api.create("member", pool["id"], address="127.0.0.1", protocol_port=81)
    expected = {
        "name": "", "address": "127.0.0.1", "protocol_port": 81, "weight": 1,
        "admin_state_up": True, "subnet_cidr_id": None, "ip_version": "v4", "member_type": "ip",
        "availability_zone": None, "operating_status": "NO_MONITOR", "status": [],
    }  # fmt: skip
    assert {key: member.get(key, "absent") for key in expected} == expected
    assert api.show("pool", pool["id"])["members"] == [{"id": member["id"]}]


@pytest.mark.parametrize("fields, status, code", [
    ({"address": ...}, 400, "8902"), ({"protocol_port": ...}, 400, "8902"),
    ({"address": "a.test"}, 400, "8902"), ({"address": "127.0.0.256"}, 400, "8902"),
    ({"address": ""}, 400, "8902"), ({"protocol_port": 0}, 400, "8902"),
    ({"protocol_port": 65536}, 400, "8902"), ({"weight": -1}, 400, "8902"),
    ({"weight": 101}, 400, "8902"), ({"weight": "5"}, 400, "8902"),
    ({"subnet_cidr_id": str(uuid.uuid4())}, 404, "8904"),
    ({"address": "192.0.2.9"}, 409, "8907"),
])  # fmt: skip
def test_refused_members(api, pool, fields, status, code):
    api.create("member", pool["id"], address="192.0.2.9", protocol_port=80)
    given = {"address": "127.0.0.1", "protocol_port": 80, **fields}
    given = {key: value for key, value in given.items() if value is not ...}
    api.try_create("member", pool["id"], **given).expect_error(status, code)
    assert len(api.list("member", pool["id"])) == 1


def test_the_same_address_with_another_port_is_another_member(api, pool):
    for port in (80, 81):
        api.create("member", pool["id"], address="192.0.2.9", protocol_port=port)
    assert len(api.show("pool", pool["id"])["members"]) == 2


def test_ip_members_need_ip_target(api):
    lb = api.make_lb(ip_target_enable=False)
    pool = api.make_pool(lb["id"])
    fields = {"address": "127.0.0.1", "protocol_port": 80}
    api.try_create("member", pool["id"], **fields).expect_error(400, "8939")
    api.update("loadbalancer", lb["id"], ip_target_enable=True)
    api.create("member", pool["id"], **fields)
    udp = api.make_pool(lb["id"], protocol="UDP")
    api.try_create("member", udp["id"], **fields).expect_error(400, "8938")
    api.drop_lb(lb["id"])


def test_members_with_a_subnet(api, daemon):
    lb = api.make_lb(ip_target_enable=False)
    pool, subnet = api.make_pool(lb["id"]), lb["vip_subnet_cidr_id"]
    inside = f"127.{daemon.subnet.second}.200.9"
    member = api.create("member", pool["id"], address=inside, protocol_port=80,
                        subnet_cidr_id=subnet)  # fmt: skip
    assert (member["member_type"], member["subnet_cidr_id"]) == ("instance", subnet)
    outside = {"address": "192.0.2.9", "protocol_port": 80, "subnet_cidr_id": subnet}
    api.try_create("member", pool["id"], **outside).expect_error(400, "8902")
    api.drop_lb(lb["id"])


def test_a_member_belongs_to_its_pool(api, lb, pool, backend):
    other = api.make_pool(lb["id"])
    member = api.add_member(pool["id"], backend())
    for attempt in (api.try_show("member", member["id"], other["id"]),
                    api.try_update("member", member["id"], {"weight": 2}, other["id"]),
                    api.try_delete("member", member["id"], other["id"])):  # fmt: skip
        attempt.expect_error(404, "8904")
    api.call("GET", f"pools/{uuid.uuid4()}/members").expect_error(404, "8904")


def test_updating_a_member(api, pool, backend):
    member = api.add_member(pool["id"], backend())
    id = member["id"]
    changed = api.update("member", id, pool["id"], weight=0, name="n", admin_state_up=False)
    assert (changed["weight"], changed["name"], changed["admin_state_up"]) == (0, "n", False)
    for weight in (101, None):
        refused = api.try_update("member", id, {"weight": weight}, pool["id"])
        refused.expect_error(400, "8902")
    api.try_update("member", id, {"address": "127.0.0.2"}, pool["id"]).expect_error(400, "8902")
    same = {"address": member["address"], "protocol_port": member["protocol_port"]}
    assert api.update("member", id, pool["id"], **same) == changed


def test_a_member_out_of_service_gets_nothing(api, lb, backend):
    service = api.make_service(lb, [backend(), backend()])
    service.api.update("member", service.members[0]["id"], service.pool["id"],
                       admin_state_up=False)  # fmt: skip
    names = {service.get().json()["id"] for _ in range(6)}
    assert names == {service.backends[1].name}


# --- health monitors ----------------------------------------------------------------------------

MONITOR = {"type": "HTTP", "delay": 5, "timeout": 3, "max_retries": 3}


def test_defaults_of_a_monitor(api, pool):
    monitor = api.create("healthmonitor", pool_id=pool["id"], **MONITOR)
    expected = {
        **MONITOR, "name": "", "pools": [{"id": pool["id"]}], "max_retries_down": 3,
        "monitor_port": None, "domain_name": None, "url_path": "/", "http_method": "GET",
        "expected_codes": "200", "http_version": None, "admin_state_up": True,
        "content_check_enable": False, "send_content": None, "receive_content": None,
        "content_format": "TEXT",
    }  # fmt: skip
    assert {key: monitor.get(key, "absent") for key in expected} == expected
    assert api.show("pool", pool["id"])["healthmonitor_id"] == monitor["id"]
    api.try_create("healthmonitor", pool_id=pool["id"], **MONITOR).expect_error(409, "8907")
    api.delete("healthmonitor", monitor["id"])
    assert api.show("pool", pool["id"])["healthmonitor_id"] is None


@pytest.mark.parametrize("fields", [
    {"pool_id": ...}, {"type": ...}, {"delay": ...}, {"timeout": ...}, {"max_retries": ...},
    {"type": "PING"}, {"type": "UDP_CONNECT"}, {"delay": 0}, {"delay": 51}, {"timeout": 0},
    {"timeout": 51}, {"max_retries": 0}, {"max_retries": 11}, {"max_retries_down": 0},
    {"max_retries_down": 11}, {"monitor_port": 0}, {"monitor_port": 65536},
    {"domain_name": ""}, {"domain_name": "-a"}, {"domain_name": "a" * 101}, {"url_path": ""},
    {"url_path": "x"}, {"url_path": "/a?b"}, {"url_path": "/a b"}, {"url_path": "/a#b"},
    {"url_path": "/[a]"}, {"url_path": "/" + "x" * 80}, {"http_method": "get"},
    {"expected_codes": ""}, {"expected_codes": "199"}, {"expected_codes": "600"},
    {"expected_codes": "300-200"}, {"expected_codes": "200,"}, {"expected_codes": "20x"},
    {"expected_codes": "200," * 16 + "2000"}, {"http_version": "HTTP/2"},
])  # fmt: skip
def test_refused_monitors(api, pool, fields):
    given = {"pool_id": pool["id"], **MONITOR, **fields}
    given = {key: value for key, value in given.items() if value is not ...}
    answer = api.try_create("healthmonitor", **given).expect_error(400, "8902")
    assert answer.body["details"][0]["path"] == f"healthmonitor.{list(fields)[0]}"
    assert api.show("pool", pool["id"])["healthmonitor_id"] is None


@pytest.mark.parametrize("fields", [
    {"timeout": 50, "delay": 1}, {"url_path": "/-.%&_~';@$*+,=!:()aZ9"}, {"url_path": "/" * 80},
    {"expected_codes": "200, 202-204,301"}, {"expected_codes": "599"}, {"http_method": "CONNECT"},
    {"domain_name": "www.elb.com"}, {"monitor_port": 65535}, {"max_retries": 10},
    {"type": "TCP", "url_path": "/x", "expected_codes": "202", "http_method": "HEAD"},
    {"http_version": "HTTP/1.0"},
])  # fmt: skip
def test_accepted_monitors(api, pool, fields):
    monitor = api.create("healthmonitor", pool_id=pool["id"], **{**MONITOR, **fields})
    assert {key: monitor[key] for key in fields} == fields
    changed = api.update("healthmonitor", monitor["id"], domain_name=None, monitor_port=None)
    assert (changed["domain_name"], changed["monitor_port"]) == (None, None)


@pytest.mark.parametrize("protocol, allowed", [
    ("HTTP", {"TCP", "HTTP", "HTTPS"}), ("HTTPS", {"TCP", "HTTP", "HTTPS"}),
    ("TCP", {"TCP", "HTTP", "HTTPS"}), ("UDP", {"UDP_CONNECT"}),
])  # fmt: skip
def test_which_monitor_fits_which_pool(api, lb, protocol, allowed):
    pool = api.make_pool(lb["id"], protocol=protocol)
    for kind in ("TCP", "HTTP", "HTTPS", "UDP_CONNECT"):
        answer = api.try_create("healthmonitor", pool_id=pool["id"], **{**MONITOR, "type": kind})
        if kind in allowed:
            api.delete("healthmonitor", answer.expect(201).body["healthmonitor"]["id"])
        else:
            answer.expect_error(400, "8902")


def test_a_monitors_pool_must_exist(api):
    answer = api.try_create("healthmonitor", pool_id=str(uuid.uuid4()), **MONITOR)
    answer.expect_error(404, "8904")
