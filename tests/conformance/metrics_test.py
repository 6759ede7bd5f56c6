"""Counters agree with what clients saw; a stopped log delays nobody (data-plane.md 11.2, 11.1)."""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections import Counter
from datetime import datetime

import pytest

from conformance.fronts import FRONTS, Asker, make_front
from rig import modes
from rig.load import NginxMember, Wrk
from rig.parallel import concurrently
from rig.timing import now, wait_until

REQUESTS = 10_000
MIX = [200, 200, 200, 204, 301, 400, 404, 404, 500, 503]  # Statuses of the backend, in turn.
COUNTERS = {  # Metric: which statuses it counts.
    "elb_mc_l7_http_2xx": range(200, 300), "elb_md_l7_http_3xx": range(300, 400),
    "elb_me_l7_http_4xx": range(400, 500), "elb_mf_l7_http_5xx": range(500, 600),
    "elb_m11_l7_http_404": [404], "elb_m15_l7_upstream_4xx": range(400, 500),
    "elb_m16_l7_upstream_5xx": range(500, 600), "elb_m18_l7_upstream_2xx": range(200, 300),
    "elb_m19_l7_upstream_3xx": range(300, 400),
}  # fmt: skip


def mixed() -> modes.Mode:
    return modes.by_target({f"/{status}": modes.status(status, b"") for status in MIX})


def send_mix(service, front: str, count: int) -> Counter:
    seen: Counter = Counter()
    with Asker(service, front) as asker:
        for number in range(count):
            wanted = MIX[number % len(MIX)]
            reply = asker.ask(f"/{wanted}")
            assert reply.status == wanted
            seen[reply.status] += 1
    return seen


@pytest.mark.slow
def test_T11_3_counters_equal_the_clients_own_count(daemon, api, lb, backend, certificate):
    """10,000 requests with a known mix over all kinds of listeners."""
    services = {front: make_front(api, lb, [backend(mode=mixed())], front, certificate)
                for front in FRONTS}  # fmt: skip
    shares = {"http": 4000, "https": 3000, "h2": 3000}
    assert sum(shares.values()) == REQUESTS
    counts = concurrently(*[
        lambda front=front: send_mix(services[front], front, shares[front]) for front in FRONTS
    ])
    for front, seen in zip(FRONTS, counts):
        labels = {"lbaas_listener_id": services[front].listener["id"]}
        wait_until(lambda: daemon.metrics().total("elb_mb_l7_qps", **labels) == shares[front], 60)
        metrics = daemon.metrics()
        for name, statuses in COUNTERS.items():
            wanted = sum(seen[status] for status in statuses)
            assert metrics.total(name, **labels) == wanted, (front, name)
        classes = [metrics.total(name, **labels) for name in list(COUNTERS)[:4]]
        others = metrics.total("elb_m10_l7_http_other_status", **labels)
        assert sum(classes) + others == metrics.total("elb_mb_l7_qps", **labels)
        for own in ("2xx", "3xx", "4xx", "5xx"):
            assert metrics.total(f"elb_elb_http_{own}", **labels) == 0


CONTRACT = """m1_cps m2_act_conn m3_inact_conn m4_ncps m5_in_pps m6_out_pps m7_in_Bps m8_out_Bps
m9_abnormal_servers ma_normal_servers m22_in_bandwidth m23_out_bandwidth mb_l7_qps mc_l7_http_2xx
md_l7_http_3xx me_l7_http_4xx mf_l7_http_5xx m10_l7_http_other_status m11_l7_http_404
m12_l7_http_499 m13_l7_http_502 m14_l7_rt m1c_l7_rt_max m1d_l7_rt_min m15_l7_upstream_4xx
m16_l7_upstream_5xx m18_l7_upstream_2xx m19_l7_upstream_3xx m17_l7_upstream_rt
m1a_l7_upstream_rt_max m1b_l7_upstream_rt_min m24_l7_req_Bps m25_l7_resp_Bps l7_con_usage
l7_in_bps_usage l7_out_bps_usage l7_ncps_usage l7_qps_usage elb_http_2xx elb_http_3xx elb_http_4xx
elb_http_5xx elb_http_400 elb_http_404 elb_http_408 elb_http_499 elb_http_502 elb_http_503
elb_http_504 l7_upstream_101 l7_upstream_400 l7_upstream_403 l7_upstream_404 l7_upstream_500
l7_upstream_501 l7_upstream_502 l7_upstream_503 l7_upstream_504 l7_upstream_other_status
dropped_connections ipgroup_blocked_packets ipgroup_blocked_traffic ipgroup_blocked_connections
client_tls_negotiation_error upstream_tls_negotiation_error retries sticky_hits sticky_rebinds
slow_start_members cert_expiry_seconds config_generation access_log_dropped
healthcheck_duration_ms""".split()


def test_T11_3_the_names_of_the_contract_exist(daemon, api, lb, backend, certificate):
    """Metric ids, spelling and case are contract."""
    service = make_front(api, lb, [backend()], "https", certificate)
    api.add_monitor(service.pool["id"])
    service.get()
    names = daemon.metrics().names()
    there = {name.removesuffix("_count") for name in names}
    missing = {name for name in CONTRACT if f"elb_{name}" not in there}
    assert not missing


def test_bytes_bits_and_packets_of_clients_and_members(daemon, api, lb, backend):
    """m5 to m8, m22 to m25: what really went over the sockets."""
    service = make_front(api, lb, [backend(mode=modes.status(200, b"x" * 50_000))], "http", None)
    with service.client() as client:
        sent = client.get("/bytes")
        assert sent.status == 200
    labels = {"lbaas_listener_id": service.listener["id"]}
    wait_until(lambda: daemon.metrics().total("elb_m1_cps", **labels) == 0, 10)
    metrics = daemon.metrics()

    def total(name: str) -> float:
        return metrics.total(f"elb_{name}", **labels)

    assert 50_000 < total("m8_out_Bps") < 51_000
    assert 0 < total("m7_in_Bps") < 1000
    assert (total("m22_in_bandwidth"), total("m23_out_bandwidth")) == (
        8 * total("m7_in_Bps"), 8 * total("m8_out_Bps"))
    assert total("m5_in_pps") >= 3 and total("m6_out_pps") >= 2
    assert 8 * 50_000 < total("m25_l7_resp_Bps") < 8 * 51_000
    assert 0 < total("m24_l7_req_Bps") < 8 * 1000
    pool = {"lbaas_pool_id": service.pool["id"]}
    assert metrics.total("elb_m25_l7_resp_Bps", **pool) == total("m25_l7_resp_Bps")
    assert 0 < total("m1d_l7_rt_min") <= total("m1c_l7_rt_max")
    assert 0 < metrics.total("elb_m1b_l7_upstream_rt_min", **pool)


def test_members_and_their_connections(daemon, api, lb, backend):
    """m2, m3, m9, ma: of the pool and of the load balancer."""
    service = make_front(api, lb, [backend(), backend(mode=modes.refuse)], "http", None)
    api.add_monitor(service.pool["id"], delay=1, timeout=1, max_retries=1)
    wait_until(lambda: service.member_status(1)["operating_status"] == "OFFLINE", 15)
    service.get()
    metrics = daemon.metrics()
    for labels in ({"lbaas_pool_id": service.pool["id"]}, {"lbaas_instance_id": lb["id"]}):
        assert metrics.total("elb_m9_abnormal_servers", **labels) == 1
        assert metrics.total("elb_ma_normal_servers", **labels) == 1
        assert metrics.total("elb_m2_act_conn", **labels) == 1
        assert metrics.total("elb_m3_inact_conn", **labels) == 0
    member = {"member_id": service.members[0]["id"]}
    wait_until(
        lambda: daemon.metrics().total("elb_healthcheck_duration_ms_count", **member) >= 1, 15)
    metrics = daemon.metrics()
    probes = metrics.total("elb_healthcheck_duration_ms_count", **member)
    assert 0 < metrics.total("elb_healthcheck_duration_ms_sum", **member) < probes * 1000


def test_single_statuses_of_members(daemon, api, lb, backend):
    codes = [400, 403, 404, 500, 501, 502, 503, 504, 418]
    table = {f"/{code}": modes.status(code, b"") for code in codes}
    service = make_front(api, lb, [backend(mode=modes.by_target(table))], "http", None)
    for code in codes:
        assert service.get(f"/{code}").status == code
    metrics = daemon.metrics()
    for labels in ({"lbaas_listener_id": service.listener["id"]},
                   {"lbaas_pool_id": service.pool["id"]}):  # fmt: skip
        for name in [*codes[:-1], "other_status"]:
            assert metrics.total(f"elb_l7_upstream_{name}", **labels) == 1, name


def test_certificates_expire_at_their_time(daemon, api, lb, backend, certificate):
    make_front(api, lb, [backend()], "https", certificate)
    left = daemon.metrics().total("elb_cert_expiry_seconds", certificate_id=certificate["id"])
    shown = datetime.fromisoformat(certificate["expire_time"]).timestamp()
    assert abs(left - (shown - time.time())) < 60


def test_usage_is_the_share_of_the_specification(daemon, api, lb, backend):
    """A connection of the default L7 specification's many."""
    service = make_front(api, lb, [backend()], "http", None)
    labels = {"lbaas_instance_id": lb["id"]}
    flavor = api.show("flavor", lb["l7_flavor_id"])
    with service.client() as client:
        client.get()
        used = daemon.metrics().total("elb_l7_con_usage", **labels)
    assert used == pytest.approx(100 / flavor["info"]["connection"])


@pytest.mark.slow
def test_T11_4_a_stopped_log_sink_delays_nobody(own_daemon):
    """Nobody reads the log's pipe for 10 s under load: no failure, no slower median or tail,
    and what was lost is counted or comes later."""
    running = own_daemon(release=True)
    os.mkfifo(running.directory / "pipe")
    reader = os.open(running.directory / "pipe", os.O_RDWR | os.O_NONBLOCK)
    running.stop()
    running.config["access_log"] = {"file": str(running.directory / "pipe")}
    running.start()
    api = running.api()
    drained = threading.Event()
    taken = [0]

    def drain() -> None:
        while not drained.is_set():
            try:
                taken[0] += os.read(reader, 1 << 20).count(b"\n")
            except BlockingIOError:
                drained.wait(0.005)

    with NginxMember("fast") as fast:
        service = api.make_service(api.make_lb(), [fast])
        load = Wrk(service.origin, 32)
        flowing = threading.Thread(target=drain, daemon=True)
        flowing.start()
        with_sink = latencies(service, 10)
        drained.set()
        flowing.join()
        without_sink = latencies(service, 10)
        drained.clear()
        threading.Thread(target=drain, daemon=True).start()
        result = load.stop()
    assert (result.failed, result.socket_errors) == (0, 0), result.text
    for quantile in (49, 98):
        before, after = (statistics.quantiles(s, n=100)[quantile]
                         for s in (with_sink, without_sink))  # fmt: skip
        assert after <= 1.5 * before + 0.01, (quantile, before, after)
    answered = running.metrics().total("elb_mb_l7_qps", lbaas_listener_id=service.listener["id"])

    def accounted() -> bool:
        return taken[0] + running.metrics().total("elb_access_log_dropped") >= answered

    wait_until(accounted, 20, "each line written or counted as dropped")
    drained.set()


def latencies(service, seconds: float) -> list[float]:
    """Of a client beside the load."""
    found, until = [], now() + seconds
    with service.client() as client:
        while now() < until:
            begun = now()
            assert client.get("/beside").status == 200
            found.append(now() - begun)
    return found
