"""Every process of the master dies at once: the kernel itself lets go of the addresses."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from demo.site import VIP
from tests.lab.net import wait_until
from tests.lab.test_daemon import CHILDREN, Pair, pair

__all__ = ["pair"]
pytestmark = pytest.mark.lab


def lifetime_s(pair: Pair) -> int:
    """What is left of the VIP's valid lifetime on d1."""
    shown = json.loads(pair.lab.run("d1", "ip", "-j", "-4", "address", "show"))
    [left] = [
        address["valid_life_time"]
        for link in shown
        for address in link.get("addr_info", ())
        if address.get("local") == VIP
    ]
    return int(left)


def test_two_nodes_do_not_hold_an_address_for_long_after_all_of_one_died(pair: Pair) -> None:
    wait_until(lambda: lifetime_s(pair) <= 4, 2, "the address is held on a lease")
    time.sleep(5)
    assert lifetime_s(pair) in (2, 3, 4), "it is renewed"
    pids = [status.pid for name in (*CHILDREN, "parent") if (status := pair.views["d1"].process(name))]
    assert len(pids) == 5
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    both = 0.0
    while (now := time.monotonic()) - killed < 7:
        holders = pair.lab.holders(VIP, ("d1", "d2"))
        if holders == ["d2"]:
            break
        if holders == ["d1", "d2"]:
            both += time.monotonic() - now
    print(f"both held it for {both:.2f} s, {time.monotonic() - killed:.2f} s after the deaths d2 alone does")
    assert pair.lab.holders(VIP, ("d1", "d2")) == ["d2"]
    assert both <= 1.3
