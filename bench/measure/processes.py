"""Running pinned processes and reading what the kernel knows about them."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

READY_SECONDS_MAX = 30
FILES_MAX = 20000


def free_port() -> int:
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        return finder.getsockname()[1]


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found


def cpu_nanoseconds(pid: int) -> int:
    """CPU time of a process tree, all threads, as the scheduler counted it."""
    return sum(
        int((task / "schedstat").read_text().split()[0])
        for process in tree(pid)
        for task in Path(f"/proc/{process}/task").iterdir()
    )


def resident_bytes(pid: int) -> int:
    """Proportional resident memory of a process tree."""
    total = 0
    for process in tree(pid):
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
        total += int(re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)[1]) * 1024
    return total


def prepare(core: int) -> None:
    """Runs in the child: one core, enough files, and no life without its parent."""
    pin(core)
    files = min(FILES_MAX, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def pin(core: int) -> None:
    if os.cpu_count() > 1:
        os.sched_setaffinity(0, {core})


class Pinned:
    """A child process on one core; ended with `stop`."""

    def __init__(self, command: list, core: int, log: Path):
        self.log = log
        with open(log, "ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, preexec_fn=lambda: prepare(core),
            )  # fmt: skip

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_for_port(self, address: str, port: int) -> None:
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            try:
                socket.create_connection((address, port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"not ready: {self.log.read_text()}") from None
                time.sleep(0.02)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def run_pinned(command: list, core: int, timeout: float) -> str:
    """Runs a command on one core and returns what it printed."""
    prefix = ["taskset", "-c", str(core)] if os.cpu_count() > 1 else []
    done = subprocess.run([*prefix, *(str(part) for part in command)], capture_output=True,
                          text=True, timeout=timeout)  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout
