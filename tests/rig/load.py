"""Load generators and a fast member: nginx, wrk and h2load, run and read."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rig.backend import Backend
from rig.timing import wait_until

NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


class NginxMember:
    """An nginx with one worker on a port of its own that answers any target with `name`.

    Looks enough like a `Backend` to be registered as a member."""

    def __init__(self, name: str, body: str | None = None):
        self.name, self.address = name, "127.0.0.1"
        with Backend() as finder:  # A port that was free a moment ago.
            self.port = finder.port
        self.directory = Path(tempfile.mkdtemp(prefix="nginx-member-"))
        config = f"""
            daemon off; master_process off; pid {self.directory}/pid; error_log stderr crit;
            events {{ worker_connections 4096; }}
            http {{ access_log off; keepalive_requests 100000000; keepalive_timeout 3600;
              client_body_temp_path {self.directory}/t1; proxy_temp_path {self.directory}/t2;
              fastcgi_temp_path {self.directory}/t3; uwsgi_temp_path {self.directory}/t4;
              scgi_temp_path {self.directory}/t5;
              server {{ listen {self.address}:{self.port} backlog=4096; default_type text/plain;
                location / {{ return 200 "{body or name}"; }} }} }}"""
        (self.directory / "nginx.conf").write_text(config)
        self.process = subprocess.Popen([NGINX, "-c", self.directory / "nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        wait_until(self._answers, 10, "nginx")

    def _answers(self) -> bool:
        import socket

        try:
            socket.create_connection((self.address, self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> "NginxMember":
        return self

    def __exit__(self, *_exc) -> None:
        self.stop()


@dataclass
class LoadResult:
    requests: int
    failed: int  #: Requests without an answer of class 2xx.
    socket_errors: int
    text: str


class Wrk:
    """wrk in the background: keep-alive connections that ask until told to stop."""

    SECONDS_MAX = 3600

    def __init__(self, origin: str, connections: int = 64, threads: int = 1):
        command = ["wrk", "-t", str(threads), "-c", str(connections), "-d", f"{self.SECONDS_MAX}s",
                   "--timeout", "30s", origin + "/load"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True)

    def stop(self) -> LoadResult:
        """Ends the load and returns what it saw."""
        import signal

        self.process.send_signal(signal.SIGINT)
        text, _ = self.process.communicate(timeout=60)
        requests = re.search(r"(\d+) requests in", text)
        assert requests, text
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)",
                           text)
        return LoadResult(
            requests=int(requests[1]),
            failed=int(bad[1]) if bad else 0,
            socket_errors=sum(map(int, errors.groups())) if errors else 0,
            text=text,
        )
