"""Pages and filters of lists (api-v3.md 1.8)."""

from __future__ import annotations

import pytest

COUNT = 7


@pytest.fixture(scope="module")
def pools(api, module_lb):
    """Seven pools of one load balancer, in the order of a complete list."""
    for number in range(COUNT):
        api.make_pool(module_lb["id"], name=f"page-{number % 3}", description=f"d{number}")
    listed = api.list("pool", loadbalancer_id=module_lb["id"])
    assert sorted(pool["description"] for pool in listed) == [f"d{n}" for n in range(COUNT)]
    created = [pool["created_at"] for pool in listed]
    assert created == sorted(created)
    return listed


def page(api, lb, **params) -> tuple[list[str], dict]:
    body = api.try_list("pool", loadbalancer_id=lb["id"], **params).expect(200).body
    return [pool["id"] for pool in body["pools"]], body["page_info"]


def test_a_list_without_limit_is_complete_and_in_order(api, module_lb, pools):
    ids, info = page(api, module_lb)
    assert ids == [pool["id"] for pool in pools]
    assert info == {"previous_marker": ids[0], "current_count": COUNT}


def test_pages_follow_each_other(api, module_lb, pools):
    expected, got, marker = [pool["id"] for pool in pools], [], None
    for size in (3, 3, 1):
        more = {"marker": marker} if marker else {}
        ids, info = page(api, module_lb, limit=3, **more)
        assert (len(ids), info["current_count"], info["previous_marker"]) == (size, size, ids[0])
        assert ("next_marker" in info) == (size == 3)
        marker = ids[-1]
        got += ids
    assert got == expected
    ids, info = page(api, module_lb, limit=3, marker=marker)
    assert (ids, info) == ([], {"current_count": 0})


def test_a_page_that_ends_exactly_has_no_next(api, module_lb, pools):
    ids, info = page(api, module_lb, limit=COUNT)
    assert len(ids) == COUNT and "next_marker" not in info


def test_a_marker_counts_without_limit(api, module_lb, pools):
    ids, info = page(api, module_lb, marker=pools[4]["id"])
    assert ids == [pools[5]["id"], pools[6]["id"]]
    assert "next_marker" not in info


def test_pages_backwards(api, module_lb, pools):
    ids, _ = page(api, module_lb, marker=pools[5]["id"], limit=2, page_reverse="true")
    assert ids == [pools[3]["id"], pools[4]["id"]]
    ids, _ = page(api, module_lb, marker=pools[0]["id"], limit=2, page_reverse="True")
    assert ids == []


def test_limit_0_means_the_default(api, module_lb, pools):
    assert len(page(api, module_lb, limit=0)[0]) == COUNT
    assert len(page(api, module_lb, limit=2000)[0]) == COUNT


@pytest.mark.parametrize("params", [{"limit": "-1"}, {"limit": "2001"}, {"limit": "x"},
                                    {"limit": ""}, {"marker": ""}, {"marker": "unknown"},
                                    {"page_reverse": "maybe"}])  # fmt: skip
def test_wrong_page_parameters(api, params):
    api.try_list("pool", **params).expect_error(400, "8902")


def test_an_empty_list_has_page_info_and_no_markers(api):
    body = api.try_list("pool", name="no such pool").expect(200).body
    assert (body["pools"], body["page_info"]) == ([], {"current_count": 0})
    assert not {"links", "next", "pools_links"} & set(body)


def test_a_repeated_parameter_means_or(api, pools):
    ids = {pools[1]["id"], pools[3]["id"]}
    assert {pool["id"] for pool in api.list("pool", id=list(ids))} == ids


def test_different_parameters_mean_and(api, module_lb, pools):
    (found,) = api.list("pool", name="page-1", description="d4", loadbalancer_id=module_lb["id"])
    assert (found["name"], found["description"]) == ("page-1", "d4")
    assert api.list("pool", name="page-0", description="d4") == []


@pytest.mark.parametrize("params, count", [
    ({"name": "page-0"}, 3), ({"name": "PAGE-0"}, 0), ({"name": "page"}, 0), ({"name": "*"}, 0),
    ({"protocol": "HTTP"}, COUNT), ({"protocol": "http"}, 0),
    ({"protocol": ["TCP", "HTTP"]}, COUNT),
    ({"admin_state_up": "True"}, COUNT), ({"admin_state_up": "false"}, 0),
    ({"lb_algorithm": "ROUND_ROBIN"}, COUNT), ({"healthmonitor_id": ""}, COUNT),
    ({"sort_key": "x", "tenant_id": "y", "anything": "z"}, COUNT),
])  # fmt: skip
def test_filters_match_exactly(api, module_lb, pools, params, count):
    assert len(page(api, module_lb, **params)[0]) == count


@pytest.mark.parametrize("params", [{"admin_state_up": "yes"}, {"ip_version": [], "limit": "1.5"}])
def test_a_filter_value_of_the_wrong_type_is_refused(api, params):
    api.try_list("pool", **params).expect_error(400, "8902")


def test_filters_are_percent_decoded(api, module_lb):
    made = api.make_pool(module_lb["id"], name="a b+c%d&é")
    assert [pool["id"] for pool in api.list("pool", name="a b+c%d&é")] == [made["id"]]
    answer = api.call("GET", "pools?name=a+b%2Bc%25d%26%C3%A9").expect(200)
    assert [pool["id"] for pool in answer.body["pools"]] == [made["id"]]
    api.delete("pool", made["id"])


def test_listeners_by_their_fields(api, module_lb, certificate):
    def listener(port: int, **fields) -> str:
        return api.create("listener", loadbalancer_id=module_lb["id"], protocol_port=port,
                          **fields)["id"]  # fmt: skip

    plain = listener(7000, protocol="HTTP", client_timeout=7)
    secure = listener(7001, protocol="HTTPS", default_tls_container_ref=certificate["id"])
    lb = module_lb["id"]
    for params, expected in [
        ({"protocol": "HTTP"}, [plain]), ({"protocol_port": 7001}, [secure]),
        ({"protocol_port": [7000, 7001]}, [plain, secure]), ({"client_timeout": 7}, [plain]),
        ({"default_tls_container_ref": certificate["id"]}, [secure]),
        ({"http2_enable": "FALSE"}, [plain, secure]), ({"tls_ciphers_policy": "tls-1-0"}, [secure]),
    ]:  # fmt: skip
        found = api.list("listener", loadbalancer_id=lb, **params)
        assert [each["id"] for each in found] == expected, params
    api.try_list("listener", protocol_port="http").expect_error(400, "8902")


def test_members_of_a_pool_and_of_the_project(api, module_lb, backend):
    pools = [api.make_pool(module_lb["id"]) for _ in range(2)]
    members = [api.add_member(pool["id"], backend(), weight=index + 1)
               for index, pool in enumerate(pools)]  # fmt: skip
    (found,) = api.list("member", pools[0]["id"])
    assert found == members[0] and "pool_id" not in found
    assert api.list("member", pools[0]["id"], weight=2) == []
    (everywhere,) = api.list("member", id=members[1]["id"])
    assert everywhere["pool_id"] == pools[1]["id"]
    assert everywhere["loadbalancer_id"] == module_lb["id"]
    assert everywhere["loadbalancers"] == [{"id": module_lb["id"]}]
    found = api.list("member", pool_id=[pool["id"] for pool in pools])
    assert {member["id"] for member in found} == {member["id"] for member in members}


def test_load_balancers_by_address_and_member(api, module_lb, backend):
    assert [lb["id"] for lb in api.list("loadbalancer", vip_address=module_lb["vip_address"])] == [
        module_lb["id"]
    ]
    found = api.list("loadbalancer", guaranteed="true", ip_version=4, id=module_lb["id"])
    assert [lb["id"] for lb in found] == [module_lb["id"]]
    assert api.list("loadbalancer", guaranteed="false", id=module_lb["id"]) == []
