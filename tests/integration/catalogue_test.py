"""Flavors, availability zones, quotas, VPC and subnets: what creating a load balancer needs."""

from __future__ import annotations

L7_SMALL = "7628a037-c229-4c0c-820b-4ea862743aef"
ZONES = {"eu-de-01", "eu-de-02", "eu-de-03", "eu-nl-01", "eu-nl-02", "eu-nl-03"}


def test_flavors_are_seeded(api):
    flavors = api.list("flavor")
    by_name = {flavor["name"]: flavor for flavor in flavors}
    assert len(by_name) == len(flavors) == 14
    small = by_name["L7_flavor.elb.s2.small"]
    assert (small["id"], small["type"], small["shared"]) == (L7_SMALL, "L7", True)
    info = {"connection": 400000, "cps": 4000, "https_cps": 400, "qps": 8000,
            "bandwidth": 100000, "lcu": 20}
    assert {key: small["info"][key] for key in info} == info
    assert api.show("flavor", L7_SMALL) == small
    assert [f["name"] for f in flavors] == sorted(f["name"] for f in flavors)
    assert api.list("flavor", type="L4", name="L4_flavor.elb.s2.medium")
    api.try_show("flavor", "none").expect_error(404, "8904")


def test_availability_zones_are_in_the_first_set(api):
    sets = api.call("GET", "availability-zones").expect(200).body["availability_zones"]
    assert {zone["code"] for zone in sets[0]} == ZONES
    assert all(zone["state"] == "ACTIVE" for zone in sets[0])


def test_the_configured_subnet_is_shown(api, daemon):
    base = f"/network/v1/{api.project_id}"
    vpcs = api.call("GET", f"{base}/vpcs").expect(200).body["vpcs"]
    subnets = api.call("GET", f"{base}/subnets").expect(200).body["subnets"]
    (subnet,) = [subnet for subnet in subnets if subnet["name"] == "rig"]
    assert subnet["cidr"] == daemon.subnet.cidr
    assert subnet["vpc_id"] in {vpc["id"] for vpc in vpcs}
    assert subnet["neutron_network_id"] == subnet["id"]
    shown = api.call("GET", f"{base}/subnets/{subnet['id']}").expect(200).body["subnet"]
    assert shown == subnet


def test_quotas_count(api, module_lb):
    quota = api.call("GET", "quotas").expect(200).body["quota"]
    assert quota["members_per_pool"] == 500 and quota["project_id"] == api.project_id
    path = "quotas/details?quota_key=loadbalancer"
    (detail,) = api.call("GET", path).expect(200).body["quotas"]
    assert (detail["quota_key"], detail["unit"]) == ("loadbalancer", "count")
    assert detail["used"] >= 1
    api.call("GET", "quotas/details?quota_key=nothing").expect_error(400, "8902")


def test_a_used_up_quota_is_8905(own_daemon):
    running = own_daemon(config={"quotas": {"loadbalancer": 2, "pool": 1}})
    api = running.api()
    lb = api.make_lb()
    api.make_lb()
    before = len(api.list("loadbalancer"))
    fields = {"availability_zone_list": ["eu-de-01"], "vpc_id": lb["vpc_id"]}
    answer = api.try_create("loadbalancer", **fields).expect_error(409, "8905")
    assert "loadbalancer" in answer.body["error_msg"]
    assert len(api.list("loadbalancer")) == before
    api.make_pool(lb["id"])
    fields = {"loadbalancer_id": lb["id"], "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
    api.try_create("pool", **fields).expect_error(409, "8905")
