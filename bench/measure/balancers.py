"""The three balancers with equal settings: one worker, one certificate, TLS 1.3 with
TLS_AES_128_GCM_SHA256 and X25519, keep-alive to the same backend, X-Forwarded-For and
X-Forwarded-Host set, no access log."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from measure.processes import Pinned, free_port

REPOSITORY = Path(__file__).resolve().parents[2]
SUITE = "TLS_AES_128_GCM_SHA256"
ADDRESS = "127.0.0.1"

NGINX_COMMON = """
daemon off; worker_processes 1; pid {dir}/{name}.pid;
error_log {dir}/{name}.log warn;
events {{ worker_connections 19000; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
  keepalive_timeout 3600; keepalive_requests 1000000000;
  client_body_temp_path {dir}/{name}-1; proxy_temp_path {dir}/{name}-2;
  fastcgi_temp_path {dir}/{name}-3; uwsgi_temp_path {dir}/{name}-4; scgi_temp_path {dir}/{name}-5;
"""


class Backend:
    """nginx with static files of 128 B and 1 MB, on one port without TLS, on another with it."""

    def __init__(self, directory: Path, core: int, issued):
        self.port, self.tls_port = free_port(), free_port()
        crt, key = issued.write(directory / "backend-keys")
        root = directory / "files"
        root.mkdir()
        (root / "128").write_bytes(b"x" * 128)
        (root / "1m").write_bytes(b"x" * 1_000_000)
        config = NGINX_COMMON.format(dir=directory, name="backend") + f"""
  open_file_cache max=100; open_file_cache_valid 3600s;
  server {{ listen {ADDRESS}:{self.port} backlog=4096; listen {ADDRESS}:{self.tls_port} ssl
    backlog=4096; ssl_certificate {crt}; ssl_certificate_key {key}; ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites {SUITE}; ssl_ecdh_curve X25519; root {root}; }} }}"""
        path = directory / "backend.conf"
        path.write_text(config)
        self.running = Pinned(["nginx", "-c", path], core, directory / "backend.out")
        self.running.wait_for_port(ADDRESS, self.port)

    def stop(self) -> None:
        self.running.stop()


RULES, REFUSED = 10, 300  #: Path rules and refused addresses of a run with everything.
REFUSED_ADDRESSES = [f"10.{n // 250}.{n % 250}.1" for n in range(REFUSED)]


class Balancer:
    """One balancer process (tree) that serves HTTPS at `address`:`port`, HTTP/2 included, and at
    `reencrypting_port` what it fetches over HTTPS."""

    name = ""
    server_name = ""  #: What handshakes ask for; empty: nothing.
    #: Access log into a file, request ids, all forwarding headers, ten path rules, a list of 300
    #: refused addresses, a health check, sticky sessions (nginx has none).
    everything = False

    def __init__(self, directory: Path, core: int, backend: Backend, issued):
        self.directory, self.core = directory, core
        self.backend, self.issued = backend, issued
        self.address, self.port, self.reencrypting_port = ADDRESS, 0, 0

    def start(self) -> "Balancer":
        raise NotImplementedError

    def stop(self) -> None:
        self.running.stop()

    @property
    def pid(self) -> int:
        return self.running.pid

    @classmethod
    def version(cls) -> str:
        raise NotImplementedError


class Haproxy(Balancer):
    name = "haproxy"

    def start(self) -> "Haproxy":
        self.port, self.reencrypting_port = free_port(), free_port()
        bundle = self.directory / "haproxy.pem"
        bundle.write_text(self.issued.chain_pem + self.issued.key_pem)
        config = self.directory / "haproxy.cfg"
        log, front, back, server = self.more() if self.everything else ("", "", "", "")
        config.write_text(f"""
global
  nbthread 1
  maxconn 9000
  ssl-default-bind-ciphersuites {SUITE}
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 3600s
  timeout server 60s
  timeout http-keep-alive 3600s
  option http-keep-alive
  http-reuse always
{log}
frontend f
  bind {ADDRESS}:{self.port} ssl crt {bundle} curves X25519 alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
{front}
  default_backend b
frontend t
  bind {ADDRESS}:{self.reencrypting_port} ssl crt {bundle} curves X25519 alpn h2,http/1.1
  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(Host)]
  default_backend e
backend b
{back}
  server s {ADDRESS}:{self.backend.port} {server}
backend e
  server s {ADDRESS}:{self.backend.tls_port} ssl verify none alpn http/1.1
""")
        command = ["haproxy", "-db", "-q", "-f", config]
        self.running = Pinned(command, self.core, self.directory / "haproxy.out")
        self.running.wait_for_port(ADDRESS, self.port)
        return self

    def more(self) -> tuple[str, str, str, str]:
        """With everything: lines of defaults, frontend, backend, and of the server."""
        refused = self.directory / "haproxy.refused"
        refused.write_text("\n".join(REFUSED_ADDRESSES) + "\n")
        log = "  log stdout format raw local0\n  option httplog"
        front = [f"tcp-request connection reject if {{ src -f {refused} }}",
                 r"unique-id-format %{+X}o\ %ci:%cp_%fi:%fp_%Ts_%rt:%pid", "unique-id-header X-Request-Id",
                 "http-response set-header X-Request-Id %[unique-id]",
                 "http-request set-header X-Forwarded-Port %[dst_port]",
                 "http-request set-header X-Forwarded-For-Port %[src_port]",
                 "http-request set-header X-Forwarded-Proto https",
                 "http-request set-header X-Real-IP %[src]",
                 *(f"use_backend e if {{ path_beg /rule-{n}/ }}" for n in range(RULES))]
        back = "  cookie SRV insert indirect nocache\n  option httpchk GET /128"
        return log, "\n".join("  " + line for line in front), back, "cookie s check inter 5s"

    @classmethod
    def version(cls) -> str:
        text = subprocess.run(["haproxy", "-v"], capture_output=True, text=True).stdout
        return re.search(r"version (\S+)", text)[1]


class Nginx(Balancer):
    name = "nginx"

    def start(self) -> "Nginx":
        self.port, self.reencrypting_port = free_port(), free_port()
        crt, key = self.issued.write(self.directory / "nginx-keys")
        config = self.directory / "nginx.conf"
        common = NGINX_COMMON.format(dir=self.directory, name="nginx")
        if self.everything:
            log = f"access_log {self.directory}/nginx-access.log combined buffer=64k flush=1s;"
            common = common.replace("access_log off;", log)
        config.write_text(common + f"""
  upstream b {{ server {ADDRESS}:{self.backend.port}; keepalive 512;
    keepalive_requests 1000000000; keepalive_timeout 3600s; }}
  upstream e {{ server {ADDRESS}:{self.backend.tls_port}; keepalive 512;
    keepalive_requests 1000000000; keepalive_timeout 3600s; }}
{self.server(self.port, crt, key, "http://b")}
{self.server(self.reencrypting_port, crt, key, "https://e")} }}""")
        command = ["nginx", "-c", config]
        self.running = Pinned(command, self.core, self.directory / "nginx.out")
        self.running.wait_for_port(ADDRESS, self.port)
        return self

    def server(self, port: int, crt: Path, key: Path, upstream: str) -> str:
        ours, more = "", ""
        if self.everything:
            ours = "\n".join([f"deny {address};" for address in REFUSED_ADDRESSES] + [
                f"location /rule-{n}/ {{ proxy_pass https://e; }}" for n in range(RULES)])
            more = """proxy_set_header X-Request-Id $request_id;
      add_header X-Request-Id $request_id; proxy_set_header X-Forwarded-Port $server_port;
      proxy_set_header X-Forwarded-For-Port $remote_port;
      proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Real-IP $remote_addr;"""
        return f"""
  server {{ {ours}
    listen {ADDRESS}:{port} ssl http2 backlog=4096;
    ssl_certificate {crt}; ssl_certificate_key {key};
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites {SUITE}; ssl_ecdh_curve X25519;
    ssl_session_tickets on;
    location / {{
      proxy_pass {upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_ssl_protocols TLSv1.3;
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffer_size 16k; proxy_buffers 8 64k; proxy_max_temp_file_size 0;
      {more}
    }} }}"""

    @classmethod
    def version(cls) -> str:
        text = subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr
        return re.search(r"nginx/(\S+)", text)[1]


@dataclass
class Member:
    port: int
    name: str = "backend"
    address: str = ADDRESS


class Elbd(Balancer):
    """Configured through its API, as a user would."""

    name = "elbd"
    quotas = dict.fromkeys(("loadbalancer", "listener", "certificate", "pool", "member"), -1)
    path = REPOSITORY / "build/release/src/daemon/elbd"

    def start(self) -> "Elbd":
        import os

        sys.path.insert(0, str(REPOSITORY / "tests"))
        from rig.daemon import Daemon

        before = os.sched_getaffinity(0)
        if os.cpu_count() > 1:
            os.sched_setaffinity(0, {self.core})  # Inherited by the daemon.
        try:
            config = {"quotas": self.quotas}
            if not self.everything:
                config["access_log"] = None
            self.daemon = Daemon(path=self.path, workers=1, config=config).init()
            self.daemon.start()
        finally:
            os.sched_setaffinity(0, before)
        api = self.daemon.api()
        lb, certificate = api.make_lb(), api.make_certificate(self.issued)
        plain, reencrypting = (
            api.make_service(
                lb, [Member(port=member)], port=port, certificate=certificate,
                keepalive_timeout=4000, tls_ciphers_policy="tls-1-2-fs-with-1-3",
                http2_enable=True, pool={"protocol": protocol},
            )
            for port, member, protocol in (
                (8443, self.backend.port, "HTTP"), (8444, self.backend.tls_port, "HTTPS"))
        )  # fmt: skip
        self.address, self.port = plain.address, plain.port
        self.reencrypting_port = reencrypting.port
        self.prepare(api, plain)
        if self.everything:
            self.add_everything(api, plain)
        return self

    def add_everything(self, api, service) -> None:
        refused = api.create("ipgroup", ip_list=[{"ip": each} for each in REFUSED_ADDRESSES])
        api.add_monitor(service.pool["id"], url_path="/128")
        api.update("pool", service.pool["id"], session_persistence={"type": "HTTP_COOKIE"})
        service.update_listener(
            ipgroup={"ipgroup_id": refused["id"], "type": "black"},
            insert_headers={"X-Real-IP": True, "X-Forwarded-Host": True, "X-Forwarded-Port": True,
                            "X-Forwarded-For-Port": True, "X-Forwarded-Proto": True},
            extensions={"request_id": {"mode": "always"}})  # fmt: skip
        for number in range(RULES):  # No two may share a pool.
            other = api.make_pool(service.lb["id"])
            api.add_member(other["id"], Member(port=self.backend.port))
            api.create("l7policy", listener_id=service.listener["id"], action="REDIRECT_TO_POOL",
                       redirect_pool_id=other["id"],
                       rules=[{"type": "PATH", "compare_type": "STARTS_WITH",
                               "value": f"/rule-{number}/"}])

    def prepare(self, api, service) -> None:
        """What a variant adds to the plain service."""

    def stop(self) -> None:
        self.daemon.destroy()

    @property
    def pid(self) -> int:
        return self.daemon.pid

    @classmethod
    def version(cls) -> str:
        commit = subprocess.run(["git", "-C", REPOSITORY, "rev-parse", "--short", "HEAD"],
                                capture_output=True, text=True)  # fmt: skip
        return commit.stdout.strip() or "unknown"


class ElbdManyCertificates(Elbd):
    """Holds 10,000 certificates that are chosen by server name, 30 for each of its listeners, as
    many as one may have."""

    name = "10,000 certificates"
    count, per_listener = 10_000, 30
    server_name = "name-15.bench.test"
    quotas = {**Elbd.quotas, "listeners_per_loadbalancer": -1}

    def prepare(self, api, service) -> None:
        from rig import certs

        authority, ids = certs.Authority(), []
        for number in range(self.count):
            name = f"name-{number}.bench.test"
            ids.append(api.make_certificate(authority.issue(name), domain=name)["id"])
        service.update_listener(sni_container_refs=ids[: self.per_listener])
        for start in range(self.per_listener, self.count, self.per_listener):
            api.create("listener", loadbalancer_id=service.lb["id"], protocol="HTTPS",
                       protocol_port=10_000 + start,
                       default_tls_container_ref=ids[start],
                       sni_container_refs=ids[start : start + self.per_listener])


class ElbdLongList(Elbd):
    """Refuses 100,000 addresses, none of which is a client's."""

    name = "100,000 addresses"
    quotas = {**Elbd.quotas, "ipgroup": -1, "ipgroup_max_length": -1}

    def prepare(self, api, service) -> None:
        made = api.create("ipgroup", ip_list=[])
        addresses = [{"ip": f"10.{a}.{b}.{c}"} for a in range(10) for b in range(100)
                     for c in range(0, 200, 2)]  # fmt: skip
        for start in range(0, len(addresses), 20_000):
            api.call("POST", f"ipgroups/{made['id']}/iplist/create-or-update",
                     {"ipgroup": {"ip_list": addresses[start : start + 20_000]}}).expect(200)
        service.update_listener(ipgroup={"ipgroup_id": made["id"], "type": "black"})
