"""What is measured, one scenario per row of the table. Each returns numbers by name."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from measure.balancers import SUITE, Balancer
from measure.processes import cpu_nanoseconds, resident_bytes, run_pinned

SMALL_CONNECTIONS, LARGE_CONNECTIONS, HANDSHAKE_CONNECTIONS, RATE_CONNECTIONS = 64, 16, 16, 32
HTTP2_CONNECTIONS, HTTP2_STREAMS = 16, 16


@dataclass
class Load:
    """Where and how long load is made."""

    core: int
    seconds: float
    client: Path  #: The compiled tls_client.
    rate: int
    idle_connections: int


def check_agreement(balancer: Balancer) -> None:
    """Equal work: a client that offers everything gets the same suite and group everywhere."""
    place = f"{balancer.address}:{balancer.port}"
    done = subprocess.run(["openssl", "s_client", "-connect", place], input="",
                          capture_output=True, text=True, timeout=30)
    for expected in (f"New, TLSv1.3, Cipher is {SUITE}", "Server Temp Key: X25519"):
        if expected not in done.stdout:
            raise RuntimeError(f"{balancer.name} does not agree on: {expected}\n{done.stdout}")


def cpu_of(balancer: Balancer, action: Callable[[], dict]) -> tuple[dict, float]:
    """Runs `action`; returns its result and the CPU microseconds the balancer spent meanwhile."""
    before = cpu_nanoseconds(balancer.pid)
    result = action()
    return result, (cpu_nanoseconds(balancer.pid) - before) / 1000


def wrk(balancer: Balancer, load: Load, target: str, connections: int, port: int = 0) -> dict:
    url = f"https://{balancer.address}:{port or balancer.port}{target}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{load.seconds:g}s", url]
    text = run_pinned(command, load.core, load.seconds + 60)
    if "Socket errors" in text or "Non-2xx" in text:
        raise RuntimeError(f"{balancer.name}: {text}")
    total = re.search(r"(\d+) requests in ([\d.]+)s", text)
    return {"count": int(total[1]), "seconds": float(total[2])}


def keep_alive(target: str, connections: int) -> Callable[[Balancer, Load], dict[str, float]]:
    def measure(balancer: Balancer, load: Load) -> dict[str, float]:
        result, cpu = cpu_of(balancer, lambda: wrk(balancer, load, target, connections))
        rate = result["count"] / result["seconds"]
        return {"cpu": cpu / result["count"], "rate": rate}

    return measure


def https_backend(balancer: Balancer, load: Load) -> dict[str, float]:
    port = balancer.reencrypting_port
    result, cpu = cpu_of(balancer, lambda: wrk(balancer, load, "/128", SMALL_CONNECTIONS, port))
    return {"cpu": cpu / result["count"]}


def h2load(balancer: Balancer, load: Load) -> dict:
    """Runs for a time that h2load counts itself; the connections stand before it begins."""
    url = f"https://{balancer.address}:{balancer.port}/128"
    text = run_pinned(["h2load", "-t1", f"-c{HTTP2_CONNECTIONS}", f"-m{HTTP2_STREAMS}",
                       f"-D{load.seconds:g}", url], load.core, load.seconds + 60)  # fmt: skip
    counts = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed", text)
    if "Application protocol: h2" not in text or int(counts[3]) or "2xx" not in text:
        raise RuntimeError(f"{balancer.name}: {text}")
    return {"count": int(counts[2]), "seconds": load.seconds}


def http2(balancer: Balancer, load: Load) -> dict[str, float]:
    result, cpu = cpu_of(balancer, lambda: h2load(balancer, load))
    return {"cpu": cpu / result["count"], "rate": result["count"] / result["seconds"]}


def tls_client(load: Load, balancer: Balancer, mode: str, *arguments) -> dict:
    command = [load.client, mode, balancer.address, balancer.port, *arguments]
    return json.loads(run_pinned(command, load.core, load.seconds + 60))


def handshakes(kind: str) -> Callable[[Balancer, Load], dict[str, float]]:
    def measure(balancer: Balancer, load: Load) -> dict[str, float]:
        name = (balancer.server_name,) if balancer.server_name else ()
        arguments = (load.seconds, HANDSHAKE_CONNECTIONS, kind, *name)
        result, cpu = cpu_of(
            balancer, lambda: tls_client(load, balancer, "handshakes", *arguments)
        )
        resumed = result["resumed"] / result["count"]
        if (kind == "resumed") != (resumed > 0.99):
            raise RuntimeError(f"{balancer.name}: {resumed:.0%} of {kind} handshakes were resumed")
        return {"cpu": cpu / result["count"], "rate": result["count"] / result["seconds"]}

    return measure


def fixed_rate(balancer: Balancer, load: Load) -> dict[str, float]:
    arguments = (load.seconds, RATE_CONNECTIONS, load.rate, "/128")
    result, cpu = cpu_of(balancer, lambda: tls_client(load, balancer, "rate", *arguments))
    if result["failed"]:
        raise RuntimeError(f"{balancer.name}: {result['failed']} failed requests")
    return {"p50": result["p50"], "p99": result["p99"], "p999": result["p999"],
            "cpu": cpu / result["count"]}


def idle_memory(balancer: Balancer, load: Load) -> dict[str, float]:
    """Of a process that has served a little before; each connection has made one request."""
    tls_client(load, balancer, "handshakes", 0.2, HANDSHAKE_CONNECTIONS, "full")
    before = resident_bytes(balancer.pid)
    command = ["taskset", "-c", load.core, load.client, "idle", balancer.address, balancer.port,
               load.idle_connections, "/128"]
    client = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    try:
        json.loads(client.stdout.readline())
        grown = resident_bytes(balancer.pid) - before
    finally:
        client.stdin.close()
        client.wait(60)
    return {"memory": grown / load.idle_connections}


@dataclass
class Row:
    """One line of the result: a number of a scenario, with what it should reach against haproxy."""

    scenario: str
    number: str
    title: str
    unit: str
    target: float | None = None
    more_is_better: bool = False
    against_best: bool = False  #: The target is the ratio to the better one of the others.


SCENARIOS: dict[str, Callable[[Balancer, Load], dict[str, float]]] = {
    "small": keep_alive("/128", SMALL_CONNECTIONS),
    "large": keep_alive("/1m", LARGE_CONNECTIONS),
    "full": handshakes("full"),
    "resumed": handshakes("resumed"),
    "rate": fixed_rate,
    "http2": http2,
    "https": https_backend,
}
FRESH_PROCESS = {"memory": idle_memory}

ROWS = [
    Row("small", "cpu", "HTTPS keep-alive, 128 B: CPU per request", "µs", 0.90),
    Row("large", "cpu", "HTTPS keep-alive, 1 MB: CPU per request", "µs", 0.85),
    Row("full", "cpu", "full handshake: CPU each", "µs", 1.0),
    Row("resumed", "cpu", "resumed handshake: CPU each", "µs"),
    Row("http2", "cpu", "HTTP/2, 128 B: CPU per request", "µs", 0.90, against_best=True),
    Row("https", "cpu", "HTTPS to the backend, 128 B: CPU per request", "µs", 0.90,
        against_best=True),
    Row("memory", "memory", "memory per idle TLS connection", "B", 1.0),
    Row("small", "rate", "throughput, 128 B", "requests/s", None, True),
    Row("large", "rate", "throughput, 1 MB", "requests/s", None, True),
    Row("full", "rate", "full handshakes", "1/s", None, True),
    Row("resumed", "rate", "resumed handshakes", "1/s", None, True),
    Row("rate", "p50", "latency at a fixed rate, median", "µs"),
    Row("rate", "p99", "latency at a fixed rate, 99 %", "µs"),
    Row("rate", "p999", "latency at a fixed rate, 99.9 %", "µs"),
    Row("rate", "cpu", "CPU per request at a fixed rate", "µs"),
]

#: What a variant of elbd costs a handshake (a new connection) beside plain elbd.
OWN_ROWS = [
    Row("own", "10,000 certificates", "full handshake with 10,000 SNI certificates", "µs", 1.05),
    Row("own", "100,000 addresses", "full handshake with 100,000 access-list entries", "µs", 1.05),
]
