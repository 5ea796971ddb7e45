"""The whole director stops: new HTTP requests to the balanced service every 10 ms, and how many noticed."""

from __future__ import annotations

import signal
import time

import pytest

from demo import traffic
from tests.lab.net import wait_until
from tests.lab.test_daemon import Pair, pair

__all__ = ["pair"]
pytestmark = pytest.mark.lab


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "parent_killed"])
def test_the_balancing_goes_on_while_the_addresses_move(pair: Pair, number: int) -> None:
    client = pair.site.start_client()
    time.sleep(0.5)
    begin_ns = time.monotonic_ns()
    pair.site.directors["d1"].signal(number)
    wait_until(lambda: pair.views["d2"].is_master(), 5, "d2 is master")
    time.sleep(1.5)
    seen = traffic.between(traffic.read(client), begin_ns, time.monotonic_ns())
    print(f"{seen.requests} requests, {seen.lost} lost, longest gap {seen.longest_gap_ms:.0f} ms")
    assert seen.longest_gap_ms < 400, "the skew alone would be 600 ms"
    assert seen.lost <= 5, "who was in the middle of a request when the addresses moved"
