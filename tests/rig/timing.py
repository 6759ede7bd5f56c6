"""Waiting without sleeping, and judging measured durations.

The contract allows a timer to be late by 250 ms on an unsaturated machine, never early. Tests share
two cores with sanitizers and with each other, so lateness is judged more generously here
(`ELB_LATE`, seconds); the exact figures are the business of `bench/`.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Callable, TypeVar

LATE = float(os.environ.get("ELB_LATE", "0.8"))
FULL = os.environ.get("ELB_FULL", "") == "1"

T = TypeVar("T")


def now() -> float:
    return time.monotonic()


def wait_until(condition: Callable[[], T], timeout: float = 10.0, what: str = "") -> T:
    """Polls until `condition()` is true and returns its value; fails the test after `timeout`."""
    deadline = now() + timeout
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if now() >= deadline:
            raise AssertionError(f"not within {timeout} s: {what or condition}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


@dataclass
class Span:
    """When something was started, known to lie between two moments of our clock."""

    earliest: float
    latest: float

    def check(self, at: float, seconds: float, late: float | None = None) -> None:
        """`at` is `seconds` after the start: never early, at most `late` late."""
        late = max(LATE, seconds * 0.02) if late is None else late
        # A millisecond for the different clocks' resolution; the start was not before `earliest`.
        assert at - self.earliest >= seconds - 0.001, (
            f"early: {at - self.earliest:.3f} s instead of {seconds} s"
        )
        assert at - self.latest <= seconds + late, (
            f"late: {at - self.latest:.3f} s instead of {seconds} s (+{late})"
        )


def check_duration(measured: float, seconds: float, late: float | None = None) -> None:
    """A duration that began after `measured` started counting: never early, hardly late."""
    Span(0.0, 0.0).check(measured, seconds, late)
