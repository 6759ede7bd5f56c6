"""Public addresses outlive their load balancers (api-v3.md 2.1, 4.5)."""

from __future__ import annotations

import pytest

NEW = {"network_type": "5_bgp",
       "bandwidth": {"name": "b", "size": 5, "share_type": "PER", "charge_mode": "traffic"}}


@pytest.fixture
def eips(api):
    """Calls of the VPC API; addresses made meanwhile are gone after the test."""

    def call(method: str, id: str = ""):
        path = f"/network/v1/{api.project_id}/publicips"
        return api.call(method, f"{path}/{id}" if id else path)

    before = {eip["id"] for eip in call("GET").expect(200).body["publicips"]}
    yield call
    for eip in call("GET").expect(200).body["publicips"]:
        if eip["id"] not in before:
            call("DELETE", eip["id"])


def test_an_address_survives_its_load_balancer_and_serves_the_next(api, eips, backend):
    """P5, T3: bound, unbound by the deletion, bound again with `publicip_ids`."""
    first = api.make_lb(publicip=NEW)
    (bound,) = first["publicips"]
    id = bound["publicip_id"]
    assert eips("GET", id).expect(200).body["publicip"]["status"] == "ACTIVE"
    api.delete("loadbalancer", first["id"])
    assert eips("GET", id).expect(200).body["publicip"]["status"] == "DOWN"

    second = api.make_lb(publicip_ids=[id])
    try:
        assert second["publicips"] == [bound]
        api.make_service(second, [backend()], port=8080)
        served = api.session.get(f"http://{bound['publicip_address']}:8080/", timeout=10)
        assert served.status_code == 200
        taken = api.try_create("loadbalancer", availability_zone_list=["eu-de-01"],
                               vpc_id=second["vpc_id"], publicip_ids=[id])
        taken.expect_error(409, "8907")
    finally:
        api.drop_lb(second["id"])
    eips("DELETE", id).expect(204)
    eips("GET", id).expect(404)


def test_a_cascade_releases_the_address_on_request(api, eips):
    for release, status in ((False, 200), (True, 404)):
        made = api.make_lb(publicip=NEW)
        api.call("POST", f"loadbalancers/{made['id']}/delete-cascade",
                 {"loadbalancer": {"unbounded_pool": True, "public_ip": release}}).expect(204)
        eips("GET", made["publicips"][0]["publicip_id"]).expect(status)


def test_an_unknown_address_is_404(api, lb):
    api.try_create("loadbalancer", availability_zone_list=["eu-de-01"], vpc_id=lb["vpc_id"],
                   publicip_ids=["00000000-0000-0000-0000-000000000000"]).expect_error(404, "8904")
