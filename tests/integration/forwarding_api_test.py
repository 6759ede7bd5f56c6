"""Forwarding policies and rules: calls, fields, bounds, conflicts (api-v3.md 2.9, 2.10, 2.19), and
what the clients' own suites send (api-v3.md 5)."""

from __future__ import annotations

import pytest

PATH = {"type": "PATH", "compare_type": "EQUAL_TO", "value": "/a"}
HOST = {"type": "HOST_NAME", "compare_type": "EQUAL_TO", "value": "abc.com"}
INHERITED = {"protocol": "${protocol}", "host": "${host}", "port": "${port}", "path": "${path}",
             "query": "${query}"}  # fmt: skip
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def listen(api, lb):
    """`listen(port, …)`: a listener without a default pool."""

    def make(port: int = 80, **more) -> dict:
        given = {"protocol": "HTTP", "loadbalancer_id": lb["id"], **more}
        return api.create("listener", protocol_port=port, **given)

    return make


@pytest.fixture
def to_pool(api, lb):
    """`to_pool(listener, …)`: fields of a policy that leads to a new pool."""

    def make(listener: dict, **more) -> dict:
        given = {"redirect_pool_id": api.make_pool(lb["id"])["id"], **more}
        return {"listener_id": listener["id"], "action": "REDIRECT_TO_POOL", **given}

    return make


def fixed(listener: dict, **more) -> dict:
    config = {"status_code": "200", "content_type": "text/plain", "message_body": "hello"}
    return {"listener_id": listener["id"], "action": "FIXED_RESPONSE",
            "fixed_response_config": config, **more}  # fmt: skip


def to_url(listener: dict, status: str = "302", **parts) -> dict:
    return {"listener_id": listener["id"], "action": "REDIRECT_TO_URL",
            "redirect_url_config": {**INHERITED, "status_code": status, **parts}}  # fmt: skip


def rules_of(api, policy: dict) -> str:
    return f"l7policies/{policy['id']}/rules"


def test_a_policy_looks_the_same_in_every_answer(api, listen, to_pool):
    listener = listen()
    given = to_pool(listener, name="p", description="d", position=37)
    made = api.create("l7policy", **given)
    assert made | given == made
    rest = {"admin_state_up": True, "priority": None, "provisioning_status": "ACTIVE",
            "redirect_pools_config": [], "redirect_listener_id": None, "redirect_url": None,
            "redirect_url_config": None, "fixed_response_config": None, "rules": [],
            "project_id": api.project_id}  # fmt: skip
    assert made | rest == made
    assert api.show("l7policy", made["id"]) == made
    assert api.list("l7policy", listener_id=listener["id"]) == [made]
    assert api.list("l7policy", name="p", listener_id=NOBODY) == []
    changed = api.update("l7policy", made["id"], name="q")
    assert changed["name"] == "q" and api.show("l7policy", made["id"]) == changed
    assert api.update("l7policy", made["id"]) == changed
    api.delete("l7policy", made["id"])
    api.try_show("l7policy", made["id"]).expect_error(404, "8904")


def test_a_redirection_to_a_listener_takes_rules_of_its_own_call(api, listen, certificate):
    """As openstacksdk's suite does, deletions in its order."""
    source = listen(80)
    target = listen(443, protocol="HTTPS", default_tls_container_ref=certificate["id"])
    policy = api.create("l7policy", listener_id=source["id"], action="REDIRECT_TO_LISTENER",
                        redirect_listener_id=target["id"])
    path = rules_of(api, policy)
    body = {"rule": {**PATH, "value": "/test.com", "admin_state_up": True}}
    rule = api.call("POST", path, body).expect(201).body["rule"]
    assert rule | {"conditions": [], "invert": False, "key": None} == rule
    assert api.call("GET", path).expect(200).body["rules"] == [rule]
    one = f"{path}/{rule['id']}"
    for change in ({"compare_type": "STARTS_WITH"}, {"value": "/testchange.com"}):
        rule = api.call("PUT", one, {"rule": change}).expect(200).body["rule"]
        assert rule | change == rule
    assert api.call("GET", one).expect(200).body["rule"] == rule
    api.call("DELETE", one).expect(204)
    api.try_delete("listener", target["id"]).expect_error(409, "8907")
    api.delete("l7policy", policy["id"])
    api.delete("listener", target["id"])
    api.delete("listener", source["id"])


def test_a_fixed_response_and_a_url_are_replaced_whole(api, listen):
    listener = listen(enhance_l7policy_enable=True)
    policy = api.create("l7policy", **fixed(listener, priority=10))
    config = {"status_code": "202", "content_type": "text/css", "message_body": ""}
    changed = api.update("l7policy", policy["id"], priority=11, fixed_response_config=config)
    assert (changed["priority"], changed["fixed_response_config"]) == (11, config)
    url = api.create("l7policy", redirect_url="https://a.com:443",
                     **to_url(listener, query="${query}&name=my_name"))
    assert url["priority"] == 12
    config = {**url["redirect_url_config"], "status_code": "308"}
    changed = api.update("l7policy", url["id"], redirect_url_config=config)
    assert changed["redirect_url_config"] == config
    assert changed["redirect_url"] == "https://a.com:443"


def test_rules_of_an_update_replace_all_others(api, listen, to_pool):
    policy = api.create("l7policy", **to_pool(listen(8080), rules=[PATH]))
    changed = api.update("l7policy", policy["id"], rules=[HOST])
    (named,) = changed["rules"]
    path = rules_of(api, policy)
    assert list(named) == ["id"]
    shown = api.call("GET", f"{path}/{named['id']}").expect(200).body["rule"]
    assert shown | HOST == shown
    gone = policy["rules"][0]["id"]
    api.call("GET", f"{path}/{gone}").expect_error(404, "8904")
    (whole,) = api.list("l7policy", id=policy["id"], display_all_rules="True")
    assert whole["rules"] == [shown]
    everywhere = api.call("GET", "l7policies/rules").expect(200).body["rules"]
    assert [each for each in everywhere if each["id"] == named["id"]] == [shown]
    assert api.update("l7policy", policy["id"], rules=[])["rules"] == []


def test_conditions_are_shown_beside_the_value(api, listen, to_pool):
    policy = api.create("l7policy", **to_pool(listen(enhance_l7policy_enable=True)))
    given = {"type": "PATH", "compare_type": "STARTS_WITH", "value": "/bbb.html",
             "conditions": [{"key": "", "value": "/"}]}  # fmt: skip
    path = rules_of(api, policy)
    rule = api.call("POST", path, {"rule": given}).expect(201).body["rule"]
    assert rule | given == rule
    change = {"compare_type": "EQUAL_TO", "conditions": [{"key": "", "value": "/home"}]}
    changed = api.call("PUT", f"{path}/{rule['id']}", {"rule": change}).expect(200).body["rule"]
    assert changed | change | {"value": "/bbb.html"} == changed


def test_weights_are_shown_in_the_type_that_was_sent(api, lb, listen, to_pool):
    pools = [api.make_pool(lb["id"])["id"] for _ in range(2)]
    config = [{"pool_id": pools[0], "weight": "80"}, {"pool_id": pools[1], "weight": 20}]
    listener = listen()
    policy = api.create("l7policy", listener_id=listener["id"], action="REDIRECT_TO_POOL",
                        redirect_pools_config=config)
    assert policy["redirect_pools_config"] == config
    assert [each["listeners"] for each in api.list("pool", listener_id=listener["id"])] == [
        [{"id": listener["id"]}]
    ] * 2
    api.try_delete("pool", pools[1]).expect_error(409, "8907")
    api.update("l7policy", policy["id"], redirect_pools_config=config[:1])
    api.delete("pool", pools[1])


def test_a_pool_has_one_use(api, lb, listen, to_pool):
    listener = listen()
    taken = to_pool(listener)
    policy = api.create("l7policy", **taken)
    api.try_create("l7policy", **taken).expect_error(409, "8907")
    pool = policy["redirect_pool_id"]
    api.try_update("listener", listener["id"], {"default_pool_id": pool}).expect_error(409, "8907")
    default = api.make_pool(lb["id"], listener_id=listener["id"])["id"]
    own = {**taken, "redirect_pool_id": default}
    api.try_create("l7policy", **own).expect_error(409, "8907")
    api.delete("l7policy", policy["id"])
    api.create("l7policy", **taken)


BASIC_REFUSED = [
    {"priority": 1}, {"rules": [{**PATH, "invert": True}]},
    {"rules": [{**PATH, "conditions": [{"value": "/a"}]}]},
    {"rules": [{"type": "METHOD", "compare_type": "EQUAL_TO", "value": "GET"}]},
    {"rules": [{**HOST, "value": "*.abc.com"}]}, {"rules": [{**HOST, "compare_type": "REGEX"}]},
    {"rules": [{**PATH, "value": "a"}]}, {"rules": [{**PATH, "value": "/" + "a" * 128}]},
    {"rules": [{**PATH, "compare_type": "REGEX", "value": "("}]},
    {"redirect_pool_id": None}, {"redirect_listener_id": NOBODY}, {"position": 0},
    {"position": 101}, {"admin_state_up": "no"}, {"name": "n" * 256}, {"redirect_url": "u" * 256},
    {"fixed_response_config": {"status_code": "200"}},
]  # fmt: skip


def test_what_basic_forwarding_refuses(api, listen, to_pool):
    good = to_pool(listen())
    for bad in BASIC_REFUSED:
        answer = api.try_create("l7policy", **{**good, **bad})
        assert (answer.status, answer.error_code) == (400, "ELB.8902"), bad
    for action in (fixed, to_url):
        listener = {"id": good["listener_id"]}
        api.try_create("l7policy", **action(listener)).expect_error(400, "8902")
    assert api.create("l7policy", **{**good, "priority": 0})["priority"] is None


def test_what_advanced_forwarding_refuses(api, listen):
    listener = listen(enhance_l7policy_enable=True)
    bodies = [
        to_url(listener), to_url(listener, "305", host="a.com"), to_url(listener, port="65536"),
        to_url(listener, path="x"), fixed(listener, priority=10001),
        *(fixed(listener, fixed_response_config=config) for config in (
            None, {}, {"status_code": "302"}, {"status_code": 200},
            {"status_code": "200", "message_body": "m" * 1025},
            {"status_code": "200", "content_type": "image/png"})),
    ]  # fmt: skip
    for body in bodies:
        api.try_create("l7policy", **body).expect_error(400, "8902")
    api.try_update("listener", listener["id"],
                   {"enhance_l7policy_enable": False}).expect_error(400, "8902")


def test_unknown_objects_are_404(api, listen, to_pool):
    good = to_pool(listen())
    for bad in ({"listener_id": NOBODY}, {"redirect_pool_id": NOBODY}):
        api.try_create("l7policy", **{**good, **bad}).expect_error(404, "8904")
    policy = api.create("l7policy", **good)
    for method, path in (("GET", "l7policies/nothing"), ("GET", f"l7policies/{NOBODY}/rules"),
                         ("GET", rules_of(api, policy) + "/nothing")):  # fmt: skip
        api.call(method, path).expect_error(404, "8904")
    api.call("POST", f"l7policies/{NOBODY}/rules", {"rule": PATH}).expect_error(404, "8904")


def test_a_type_of_rule_occurs_once(api, listen, to_pool):
    policy = api.create("l7policy", **to_pool(listen(), rules=[PATH, HOST]))
    for rule in (PATH, HOST):
        body = {"rule": {**rule, "value": "/b" if rule is PATH else "b.com"}}
        api.call("POST", rules_of(api, policy), body).expect_error(409, "8907")


def test_priorities_are_unique_and_swapped_in_one_call(api, listen):
    listener = listen(enhance_l7policy_enable=True)
    first, second = (api.create("l7policy", **fixed(listener))["id"] for _ in range(2))
    api.try_create("l7policy", **fixed(listener, priority=1)).expect_error(409, "8907")
    api.try_update("l7policy", second, {"priority": 1}).expect_error(409, "8907")

    def swap(*pairs):
        entries = [{"id": id, "priority": priority} for id, priority in pairs]
        return api.call("POST", "l7policies/batch-update-priority", {"l7policies": entries})

    answer = swap((first, 2), (second, 1)).expect(202)
    assert list(answer.body) == ["request_id"]
    swap((first, 1)).expect_error(409, "8907")
    swap((first, 7), (NOBODY, 8)).expect_error(404, "8904")
    swap((first, 7), (second, 0)).expect_error(400, "8902")
    shown = api.list("l7policy", listener_id=listener["id"])
    assert [each["priority"] for each in shown] == [2, 1]
    assert [each["id"] for each in api.list("l7policy", listener_id=listener["id"],
                                            priority=1)] == [second]


def test_a_listener_keeps_its_policies_from_deletion_but_not_by_force(api, lb, listen, to_pool):
    listener = listen()
    policy = api.create("l7policy", **to_pool(listener, rules=[PATH]))
    api.try_delete("listener", listener["id"]).expect_error(409, "8907")
    api.call("DELETE", f"listeners/{listener['id']}/force").expect(204)
    api.try_show("l7policy", policy["id"]).expect_error(404, "8904")
    api.try_show("pool", policy["redirect_pool_id"]).expect_error(404, "8904")


def test_twins_show_in_the_status_tree(api, lb, listen, to_pool):
    listener = listen()
    first, second = (api.create("l7policy", **to_pool(listener, rules=[PATH]))
                     for _ in range(2))
    assert [first["provisioning_status"], second["provisioning_status"]] == ["ACTIVE", "ERROR"]
    path = f"loadbalancers/{lb['id']}/statuses"
    tree = api.call("GET", path).expect(200).body["statuses"]["loadbalancer"]
    (shown,) = tree["listeners"]
    assert (tree["operating_status"], shown["operating_status"]) == ("ONLINE", "DEGRADED")
    assert [each["id"] for each in shown["pools"]] == [first["redirect_pool_id"],
                                                       second["redirect_pool_id"]]
    assert [each["provisioning_status"] for each in shown["l7policies"]] == ["ACTIVE", "ERROR"]
    assert shown["l7policies"][1]["rules"] == [
        {"id": second["rules"][0]["id"], "type": "PATH", "provisioning_status": "ERROR"}
    ]
    api.delete("l7policy", first["id"])
    assert api.show("l7policy", second["id"])["provisioning_status"] == "ACTIVE"


def test_shared_load_balancers_have_codes_of_their_own(api, to_pool):
    shared = api.make_lb(guaranteed=False, availability_zone_list=[], ip_target_enable=False)
    try:
        listener = api.create("listener", loadbalancer_id=shared["id"], protocol="HTTP",
                              protocol_port=80)
        good = {"listener_id": listener["id"], "action": "REDIRECT_TO_POOL",
                "redirect_pool_id": api.make_pool(shared["id"])["id"]}  # fmt: skip
        for bad in (fixed(listener), to_url(listener, host="a.com"), {**good, "priority": 1},
                    {**good, "position": 0}):
            api.try_create("l7policy", **bad).expect_error(400, "9899")
        api.try_create("l7policy", listener_id=listener["id"]).expect_error(400, "9805")
        policy = api.create("l7policy", **good, rules=[PATH])
        api.call("POST", rules_of(api, policy), {"rule": PATH}).expect_error(409, "8907")
    finally:
        api.drop_lb(shared["id"])
