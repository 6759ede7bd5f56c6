"""Load balancers through the API (api-v3.md 2.1)."""

from __future__ import annotations

import ipaddress
import uuid

import pytest

FIELDS = {
    "id", "project_id", "name", "description", "provisioning_status", "operating_status",
    "admin_state_up", "provider", "guaranteed", "vpc_id", "vip_subnet_cidr_id", "vip_address",
    "vip_port_id", "ipv6_vip_address", "ipv6_vip_virsubnet_id", "ipv6_vip_port_id",
    "ipv6_bandwidth", "availability_zone_list", "listeners", "pools", "tags", "eips", "publicips",
    "elb_virsubnet_ids", "elb_virsubnet_type", "ip_target_enable", "l4_flavor_id",
    "l4_scale_flavor_id", "l7_flavor_id", "l7_scale_flavor_id", "deletion_protection_enable",
    "frozen_scene", "billing_info", "public_border_group", "waf_failure_action", "charge_mode",
    "protection_status", "protection_reason", "enterprise_project_id", "log_group_id",
    "log_topic_id", "created_at", "updated_at",
}  # fmt: skip


@pytest.fixture(scope="module")
def subnet(api):
    return api.default_subnet()


@pytest.fixture
def create(api, subnet):
    """Creates load balancers that are gone after the test."""
    made = []

    def build(**fields) -> dict:
        fields.setdefault("availability_zone_list", ["eu-de-01"])
        fields.setdefault("vip_subnet_cidr_id", subnet["neutron_subnet_id"])
        lb = api.create("loadbalancer", **{k: v for k, v in fields.items() if v is not ...})
        made.append(lb["id"])
        return lb

    yield build
    for id in made:
        api.call("DELETE", f"loadbalancers/{id}/force-elb")


def test_defaults(create, subnet):
    lb = create()
    assert FIELDS <= set(lb)
    expected = {
        "name": "", "description": "", "provider": "vlb", "guaranteed": True,
        "provisioning_status": "ACTIVE", "operating_status": "ONLINE", "admin_state_up": True,
        "vpc_id": subnet["vpc_id"], "vip_subnet_cidr_id": subnet["neutron_subnet_id"],
        "listeners": [], "pools": [], "tags": [], "eips": [], "publicips": [],
        "elb_virsubnet_ids": [subnet["id"]], "elb_virsubnet_type": "ipv4",
        "ip_target_enable": False, "deletion_protection_enable": False,
        "waf_failure_action": "forward", "charge_mode": "flavor",
        "protection_status": "nonProtection", "protection_reason": "",
        "enterprise_project_id": "0", "public_border_group": "center", "ipv6_vip_address": None,
    }  # fmt: skip
    assert {key: lb[key] for key in expected} == expected
    assert lb["l4_flavor_id"] and lb["l7_flavor_id"] and lb["vip_port_id"]
    assert ipaddress.ip_address(lb["vip_address"]) in ipaddress.ip_network(subnet["cidr"])
    assert "custom_qos_limit" not in lb


def test_default_flavors_are_the_sites(api, create):
    lb = create()
    assert api.show("flavor", lb["l4_flavor_id"])["name"] == "L4_flavor.elb.s1.medium"
    assert api.show("flavor", lb["l7_flavor_id"])["name"] == "L7_flavor.elb.s1.medium"


def test_only_one_flavor_leaves_the_other_null_and_its_listeners_refused(api, create):
    (small,) = api.list("flavor", name="L7_flavor.elb.s2.small")
    lb = create(l7_flavor_id=small["id"])
    assert (lb["l4_flavor_id"], lb["l7_flavor_id"]) == (None, small["id"])
    tcp = {"loadbalancer_id": lb["id"], "protocol": "TCP", "protocol_port": 80}
    api.try_create("listener", **tcp).expect_error(400, "8902")
    (l4,) = api.list("flavor", name="L4_flavor.elb.s1.small")
    api.try_update("loadbalancer", lb["id"], {"l4_flavor_id": l4["id"]}).expect_error(400, "8959")
    api.try_update("loadbalancer", lb["id"], {"l7_flavor_id": None}).expect_error(400, "8959")
    http = create(l4_flavor_id=l4["id"])
    fields = {"loadbalancer_id": http["id"], "protocol": "HTTP", "protocol_port": 80}
    api.try_create("listener", **fields).expect_error(400, "8902")


def test_without_a_subnet_the_address_stays_null(api, create, subnet):
    lb = create(vip_subnet_cidr_id=..., vpc_id=subnet["vpc_id"])
    assert (lb["vip_address"], lb["vip_subnet_cidr_id"], lb["vip_port_id"]) == (None, None, None)
    moved = api.update("loadbalancer", lb["id"], vip_subnet_cidr_id=subnet["neutron_subnet_id"])
    assert moved["vip_address"]
    released = api.update("loadbalancer", lb["id"], vip_subnet_cidr_id=None)
    assert released["vip_address"] is None


def test_a_chosen_address_is_given_once(api, create, subnet):
    network = ipaddress.ip_network(subnet["cidr"])
    wanted = str(network[4242])
    assert create(vip_address=wanted)["vip_address"] == wanted
    fields = {"availability_zone_list": ["eu-de-01"],
              "vip_subnet_cidr_id": subnet["neutron_subnet_id"]}  # fmt: skip
    api.try_create("loadbalancer", **fields, vip_address=wanted).expect_error(409, "8907")
    unusable = {"192.0.2.77", str(network[0]), str(network[-1]), subnet["gateway_ip"], "x"}
    for bad in unusable - {None}:
        api.try_create("loadbalancer", **fields, vip_address=bad).expect_error(400, "8902")


@pytest.mark.parametrize("fields, status, code", [
    ({"availability_zone_list": ...}, 400, "8902"),
    ({"availability_zone_list": []}, 400, "8902"),
    ({"availability_zone_list": ["eu-de-01", "eu-de-01"]}, 400, "8902"),
    ({"availability_zone_list": ["mars-1"]}, 400, "8902"),
    ({"vip_subnet_cidr_id": ...}, 400, "8902"),
    ({"vip_subnet_cidr_id": str(uuid.uuid4())}, 404, "8904"),
    ({"vpc_id": str(uuid.uuid4())}, 404, "8904"),
    ({"l7_flavor_id": str(uuid.uuid4())}, 404, "8904"),
    ({"provider": "other"}, 400, "8902"),
    ({"admin_state_up": False}, 400, "8902"),
    ({"guaranteed": "true"}, 400, "8902"),
    ({"waf_failure_action": "explode"}, 400, "8902"),
    ({"tags": [{"key": "a", "value": "b"}, {"key": "a", "value": "c"}]}, 400, "8902"),
    ({"tags": [{"key": "k" * 37, "value": "v"}]}, 400, "8902"),
    ({"protection_status": "some"}, 400, "8902"),
    ({"protection_reason": "a<b", "protection_status": "consoleProtection"}, 400, "8902"),
])  # fmt: skip
def test_refused_on_create(api, subnet, fields, status, code):
    given = {"availability_zone_list": ["eu-de-01"],
             "vip_subnet_cidr_id": subnet["neutron_subnet_id"], **fields}  # fmt: skip
    given = {key: value for key, value in given.items() if value is not ...}
    before = len(api.list("loadbalancer"))
    answer = api.try_create("loadbalancer", **given).expect_error(status, code)
    assert answer.body["details"][0]["path"].startswith("loadbalancer")
    assert len(api.list("loadbalancer")) == before


def test_ip_target_goes_one_way(api, create):
    lb = create()
    assert api.update("loadbalancer", lb["id"], ip_target_enable=True)["ip_target_enable"] is True
    refused = api.try_update("loadbalancer", lb["id"], {"ip_target_enable": False})
    refused.expect_error(400, "8902")


def test_immutable_fields(api, create, subnet):
    lb = create()
    same = {"vpc_id": lb["vpc_id"], "guaranteed": True, "provider": "vlb",
            "availability_zone_list": lb["availability_zone_list"]}  # fmt: skip
    assert api.update("loadbalancer", lb["id"], **same) == lb
    for field, value in {"vpc_id": str(uuid.uuid4()), "guaranteed": False}.items():
        api.try_update("loadbalancer", lb["id"], {field: value}).expect_error(400, "8902")


def test_deletion_protection(api, create):
    lb = create(deletion_protection_enable=True)
    api.try_delete("loadbalancer", lb["id"]).expect_error(409, "8907")
    api.call("DELETE", f"loadbalancers/{lb['id']}/force-elb").expect_error(409, "8907")
    assert api.show("loadbalancer", lb["id"]) == lb
    api.update("loadbalancer", lb["id"], deletion_protection_enable=False)
    api.delete("loadbalancer", lb["id"])
    api.try_delete("loadbalancer", lb["id"]).expect_error(404, "8904")


def test_delete_is_refused_while_something_is_on_it(api, create):
    lb = create()
    listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=80)
    answer = api.try_delete("loadbalancer", lb["id"]).expect_error(409, "8907")
    blocker = {"kind": "listener", "id": listener["id"], "name": ""}
    assert blocker in answer.body["blockers"] and answer.body["blockers_total"] == 1
    api.delete("listener", listener["id"])
    pool = api.make_pool(lb["id"])
    api.try_delete("loadbalancer", lb["id"]).expect_error(409, "8907")
    api.delete("pool", pool["id"])
    api.delete("loadbalancer", lb["id"])


def test_force_delete_takes_everything_beneath(api, create, backend):
    lb = create(ip_target_enable=True)
    service = api.make_service(lb, [backend()])
    monitor = api.add_monitor(service.pool["id"])
    api.drop_lb(lb["id"])
    for kind, id in [("loadbalancer", lb["id"]), ("listener", service.listener["id"]),
                     ("pool", service.pool["id"]), ("healthmonitor", monitor["id"])]:  # fmt: skip
        api.try_show(kind, id).expect_error(404, "8904")
    with pytest.raises(OSError):
        service.client()


def test_back_references_are_right_at_once(api, create):
    lb = create()
    listener = api.create("listener", loadbalancer_id=lb["id"], protocol="HTTP", protocol_port=80)
    pool = api.make_pool(lb["id"])
    shown = api.show("loadbalancer", lb["id"])
    assert shown["listeners"] == [{"id": listener["id"]}]
    assert shown["pools"] == [{"id": pool["id"]}]
    api.delete("pool", pool["id"])
    assert api.show("loadbalancer", lb["id"])["pools"] == []


def test_the_status_tree(api, create, backend):
    lb = create(ip_target_enable=True, name="tree")
    service = api.make_service(lb, [backend()])
    path = f"loadbalancers/{lb['id']}/statuses"
    tree = api.call("GET", path).expect(200).body["statuses"]["loadbalancer"]
    assert (tree["name"], tree["provisioning_status"], tree["operating_status"]) == (
        "tree", "ACTIVE", "ONLINE")  # fmt: skip
    (listener,) = tree["listeners"]
    (pool,) = listener["pools"]
    assert (listener["id"], pool["id"]) == (service.listener["id"], service.pool["id"])
    assert pool["healthmonitor"] == {}
    assert pool["members"][0]["operating_status"] == "NO_MONITOR"
    assert tree["pools"] == [pool]
