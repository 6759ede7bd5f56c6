"""The tools that users have at hand: curl, openssl, and the daemon's own endpoints."""

from __future__ import annotations

import json
import subprocess

import pytest

from rig.timing import wait_until


@pytest.fixture
def service(api, lb, backend, certificate):
    return api.make_service(lb, [backend()], port=8443, certificate=certificate)


@pytest.fixture
def authority(ca, tmp_path):
    path = tmp_path / "ca.crt"
    path.write_text(ca.pem)
    return path


def curl(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(["curl", "-sS", *arguments], capture_output=True, text=True, timeout=30)


def test_curl_with_verification(service, authority):
    place = f"a.test:{service.port}:{service.address}"
    done = curl("--cacert", authority, "--resolve", place, f"https://a.test:{service.port}/hello")
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["target"] == "/hello"
    assert ["X-Forwarded-For", "127.0.0.1"] in seen["headers"]


def test_curl_posts_a_file_with_expect(service, authority, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(b"x" * (3 << 20))
    place = f"a.test:{service.port}:{service.address}"
    done = curl("--cacert", authority, "--resolve", place, "-T", big,
                f"https://a.test:{service.port}/up")
    assert json.loads(done.stdout)["body_len"] == 3 << 20
    assert json.loads(done.stdout)["method"] == "PUT"


def test_openssl_sees_no_renegotiation_and_one_ticket(api, service):
    service.update_listener(tls_ciphers_policy="tls-1-2-fs-with-1-3")
    command = ["openssl", "s_client", "-connect", f"{service.address}:{service.port}", "-tls1_3",
               "-servername", "a.test"]
    request = "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
    done = subprocess.run([*command, "-ign_eof"], input=request, capture_output=True, text=True,
                          timeout=30)
    assert "HTTP/1.1 200" in done.stdout
    assert done.stdout.count("Post-Handshake New Session Ticket arrived") == 1
    service.update_listener(tls_ciphers_policy="tls-1-2")
    done = subprocess.run(["openssl", "s_client", "-connect",
                           f"{service.address}:{service.port}", "-tls1_2"],
                          input="R\n", capture_output=True, text=True, timeout=30)
    assert "Secure Renegotiation IS supported" in done.stdout
    assert "no renegotiation" in done.stdout + done.stderr


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_sessions_resume_on_every_worker(service, version):
    """2.7: ticket keys are shared by all workers."""
    from rig.tls import client_context

    service.update_listener(tls_ciphers_policy="tls-1-2-fs-with-1-3")

    def connect(session=None):
        context = client_context(lowest=version, highest=version)
        return service.client(tls=context, name="a.test", session=session)

    with connect() as first:
        assert first.get().status == 200 and not first.tls.resumed
        session = first.session
    for _ in range(20):
        with connect(session) as again:
            assert again.tls.resumed
            assert again.get().status == 200


def test_health_and_readiness(daemon):
    assert daemon.get("/healthz").status_code == 200
    assert daemon.get("/readyz").status_code == 200


def test_metrics_are_prometheus_text(daemon, service):
    for number in range(10):
        service.get(f"/m{number}")
    service.backends[0].stop()
    service.get("/down")
    reply = daemon.get("/metrics")
    assert reply.headers["content-type"].startswith("text/plain")
    labels = {"lbaas_listener_id": service.listener["id"]}

    def total(name: str) -> float:
        return daemon.metrics().total(name, **labels)

    wait_until(lambda: total("elb_mb_l7_qps") == 11, 5, "11 requests")
    assert total("elb_mc_l7_http_2xx") == 10
    assert total("elb_mf_l7_http_5xx") == total("elb_m13_l7_http_502") == 1
    assert total("elb_m4_ncps") == 11
    assert total("elb_m1_cps") == 0
    metrics = daemon.metrics()
    pool = {"lbaas_pool_id": service.pool["id"]}
    assert metrics.total("elb_mb_l7_qps", **pool) >= 10
    instance = {"lbaas_instance_id": service.lb["id"]}
    assert metrics.total("elb_m7_in_Bps", **instance) > 0
    assert any("_bucket" in name for name in metrics.names()), "latency histograms"


def test_the_access_log_has_the_contracts_fields(daemon, service):
    with service.client(name="a.test", source="127.0.0.7") as client:
        agent = 'a"b\\c'
        client.get("/log-line?q=1", host="a.test:8443",
                   fields=[("User-Agent", agent), ("Referer", "http://r.test/")])
    line = daemon.access_log.wait_for("/log-line?q=1")
    member = service.backends[0]
    expected = {
        "log_ver": "elb_01", "remote_addr": "127.0.0.7", "status": 200, "request_method": "GET",
        "scheme": "https", "host": "a.test", "router_request_uri": "/log-line?q=1",
        "server_protocol": "HTTP/1.1", "upstream_status": "200",
        "upstream_addr": f"{member.address}:{member.port}", "http_user_agent": agent,
        "http_referer": "http://r.test/", "http_x_forwarded_for": "-",
        "lb_name": f"loadbalancer_{service.lb['id']}", "tenant_id": service.api.project_id,
        "certificate_id": service.listener["default_tls_container_ref"],
        "sni_domain_name": "a.test", "error_reason": "-", "eip_port": service.port,
    }  # fmt: skip
    assert {key: line.get(key, "absent") for key in expected} == expected
    assert line["ssl_protocol"].startswith("TLSv1")
    assert line["bytes_sent"] > line["body_bytes_sent"] > 0
    assert line["request_length"] >= line["request_header_length"] > 0
    assert 0 <= float(line["request_time"]) < 10


def test_a_wrong_configuration_stops_the_start_with_its_place(daemon, tmp_path):
    config = tmp_path / "bad.yaml"
    config.write_text("workers: 2\nnonsense_key: 1\n")
    done = subprocess.run([daemon.path, "serve", "--data-dir", tmp_path / "d", "--config", config],
                          capture_output=True, text=True, timeout=30, env=daemon.environment())
    assert done.returncode != 0
    message = done.stdout + done.stderr
    assert "nonsense_key" in message and "2" in message
