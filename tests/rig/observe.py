"""What the daemon says about itself: metrics, access log, memory."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Callable

from rig.timing import wait_until

_SAMPLE = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+)$")
_LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"')


class Metrics:
    """One scrape in the Prometheus text format."""

    def __init__(self, text: str):
        self.samples: list[tuple[str, dict[str, str], float]] = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = _SAMPLE.match(line)
                assert match, f"not a sample: {line!r}"
                labels = dict(_LABEL.findall(match[2] or ""))
                self.samples.append((match[1], labels, float(match[3])))

    def total(self, name: str, **labels: str) -> float:
        """Sum over the samples of `name` that carry these labels."""
        return sum(
            value
            for sample, given, value in self.samples
            if sample == name and all(given.get(k) == v for k, v in labels.items())
        )

    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}


class AccessLog:
    """The JSON access log, one object a line, with the names of data-plane.md 11.1."""

    def __init__(self, path: Path):
        self.path = path

    def lines(self) -> list[dict]:
        if not self.path.exists():
            return []
        text = self.path.read_text()
        complete = text[: text.rfind("\n") + 1]
        return [json.loads(line) for line in complete.splitlines() if line]

    def matching(self, condition: Callable[[dict], bool]) -> list[dict]:
        return [line for line in self.lines() if condition(line)]

    def wait_for(self, target: str, timeout: float = 5.0) -> dict:
        """The line of the request for `target`, which the test made unique."""

        def found() -> list[dict]:
            return self.matching(lambda line: target in request_target(line))

        lines = wait_until(found, timeout, f"access log line for {target}")
        assert len(lines) == 1, f"several lines for {target}: {lines}"
        return lines[0]


def request_target(line: dict) -> str:
    """The request part of a line, wherever the target stands in it."""
    return str(line.get("router_request_uri") or line.get("request") or "")


def log_status(line: dict) -> int:
    return int(line["status"])


def upstream_values(line: dict, name: str) -> list[str]:
    """The per-attempt values of one `upstream_*` field."""
    value = line[name]
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts]


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


def anonymous_kib(pid: int) -> int:
    """Resident memory that is no file's: what a process holds, without the code it has run."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", text)[1])


def peak_resident_kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1])
