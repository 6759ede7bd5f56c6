"""Medians, spread and ratios as a table."""

from __future__ import annotations

import datetime
import platform
import re
import statistics
import subprocess
from pathlib import Path

from measure.scenarios import OWN_ROWS, ROWS, Row

Samples = dict[tuple[str, str], dict[str, list[float]]]  #: (scenario, number) -> balancer -> values
REFERENCE = "haproxy"


def cell(values: list[float]) -> str:
    """`median (lowest–highest)`"""
    if not values:
        return "–"
    digits = 0 if statistics.median(values) >= 1000 else 1 if statistics.median(values) >= 10 else 2
    middle, low, high = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def ratio(by_balancer: dict[str, list[float]], name: str) -> float | None:
    """Median of the ratios of each round, so that a slow moment of the machine hits both."""
    pairs = list(zip(by_balancer.get(name, []), by_balancer.get(REFERENCE, [])))
    return statistics.median(own / other for own, other in pairs if other) if pairs else None


def judged(row: Row, by_balancer: dict[str, list[float]]) -> float | None:
    """The ratio that the row's target is for."""
    value = ratio(by_balancer, "elbd")
    if not row.against_best or value is None:
        return value
    others = [name for name in by_balancer if name != "elbd"]
    rounds = zip(*(by_balancer[name] for name in ["elbd", *others]))
    return statistics.median(own / min(rest) for own, *rest in rounds)


def own_table(own: dict[str, list[float]]) -> list[str]:
    """elbd's variants beside plain elbd."""
    if not own:
        return []
    lines = ["", "| CPU of elbd | plain | variant | ratio | target |", "|---|---|---|---|---|"]
    for row in OWN_ROWS:
        value = own_ratio(own, row)
        lines.append(f"| {row.title} ({row.unit}) | {cell(own['elbd'])} | {cell(own[row.number])} "
                     f"| {value:.2f} | {verdict(row, value)} |")
    return lines


def own_ratio(own: dict[str, list[float]], row: Row) -> float:
    return statistics.median(b / a for a, b in zip(own["elbd"], own[row.number]))


def verdict(row: Row, value: float | None) -> str:
    if row.target is None or value is None:
        return ""
    best = f"{value:.2f} of the better one, " if row.against_best else ""
    return f"{best}≤ {row.target:.2f} {'met' if value <= row.target else 'MISSED'}"


def table(samples: Samples, names: list[str]) -> str:
    others = [name for name in names if name != REFERENCE]
    head = ["", *names, *(f"{name}/{REFERENCE}" for name in others), "target for elbd"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in ROWS:
        by_balancer = samples.get((row.scenario, row.number), {})
        if not by_balancer:
            continue
        ratios = {name: ratio(by_balancer, name) for name in others}
        cells = [f"{row.title} ({row.unit})", *(cell(by_balancer.get(name, [])) for name in names)]
        cells += [f"{value:.2f}" if value is not None else "–" for value in ratios.values()]
        cells.append(verdict(row, judged(row, by_balancer)))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def missed(samples: Samples, own: dict[str, list[float]]) -> list[str]:
    """Titles of the rows whose target elbd does not reach."""
    found = [row.title for row in OWN_ROWS if own and own_ratio(own, row) > row.target]
    for row in ROWS:
        value = judged(row, samples.get((row.scenario, row.number), {}))
        if row.target is not None and value is not None and value > row.target:
            found.append(row.title)
    return found


def machine() -> tuple[str, str]:
    """A description of the machine without its name, and a short class for file names."""
    text = Path("/proc/cpuinfo").read_text()
    model = (re.search(r"model name\s*:\s*(.+)", text) or ["", platform.machine()])[1]
    cores = text.count("processor\t") or 1
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) // 1048576
    words = re.sub(r"\(.*?\)|CPU|Processor|@.*", " ", model)
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-") or platform.machine()
    kernel = platform.release().split("-")[0]
    described = f"{model}, {cores} cores, {memory} GiB, Linux {kernel}"
    return described, f"{cores}x-{slug}"


def document(samples: Samples, own: dict[str, list[float]], versions: dict[str, str],
             settings: str) -> str:
    described, _ = machine()
    ssl = subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.split("(")
    listed = ", ".join(f"{name} {version}" for name, version in versions.items())
    return "\n".join([
        f"# {datetime.date.today()}: elbd beside haproxy and nginx", "",
        f"- Machine: {described}",
        f"- Versions: {listed}, {ssl[0].strip()}",
        f"- Settings: {settings}",
        "- One worker each, pinned to one core; load and backend on another. Same certificate,",
        "  TLS 1.3, TLS_AES_128_GCM_SHA256, X25519; keep-alive to an nginx with static files.",
        "- CPU: time of the balancer's threads from the kernel's scheduler, divided by requests.",
        "- Cells: median (lowest–highest) of the rounds; ratios: median of the rounds' ratios.",
        "", table(samples, list(versions)), *own_table(own), "",
    ])  # fmt: skip


def write(text: str, folder: Path, everything: bool) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    suffix = "-everything" if everything else ""
    path = folder / f"{datetime.date.today()}-{machine()[1]}{suffix}.md"
    path.write_text(text)
    return path
