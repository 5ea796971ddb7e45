"""Every process of the master dies at once: the kernel itself lets go of the addresses."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest

from demo.site import VIP
from tests.lab.net import Lab, wait_until
from tests.lab.test_daemon import CHILDREN, Pair, pair
from tests.lab.test_vrrp_interop import PYHAD

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
    while (now := time.monotonic()) - killed < 20:
        holders = pair.lab.holders(VIP, ("d1", "d2"))
        if holders == ["d2"]:
            break
        if holders == ["d1", "d2"]:
            both += time.monotonic() - now
    print(f"both held it for {both:.2f} s, {time.monotonic() - killed:.2f} s after the deaths d2 alone does")
    assert holders == ["d2"]
    assert both <= 2.5, "a lease of 4 s, and a peer that waits at least 2.6 s"


ROUTER = """vrrp_instance {name} {{
 interface eth0
 virtual_router_id {vrid}
 version 3
 priority 150
 advert_int 0.1
 {extra}
 virtual_ipaddress {{
  {addresses}
 }}
}}
"""


def test_leases_end_on_virtual_macs_and_for_ipv6_too(lab: Lab, open_folder: Path) -> None:
    """All but IPv6 with a connected route, which is never leased."""
    routers = {
        "10.0.0.101": ("use_vmac", "10.0.0.101/24"),
        "2001:db8::102": ("", "fe80::102\n  2001:db8::102/128"),
        "2001:db8::103": ("use_vmac", "fe80::103\n  2001:db8::103/128"),
        "2001:db8::104": ("", "fe80::104\n  2001:db8::104/64"),
    }
    config = open_folder / "a.conf"
    config.write_text(
        "".join(
            ROUTER.format(name=f"V{vrid}", vrid=vrid, extra=extra, addresses=addresses)
            for vrid, (extra, addresses) in enumerate(routers.values(), 51)
        )
    )
    lab.wire("a", "eth0", "lan", "10.0.0.1/24", "2001:db8::1/64")
    log = open_folder / "a.log"
    lab.start("a", PYHAD, "-n", "-l", "-f", str(config), "--run-dir", str(open_folder / "a.run"), log=log)
    wait_until(lambda: lab.addresses("a") >= set(routers), 20, "all addresses are there")
    time.sleep(2)  # longer than a lease
    assert lab.addresses("a") >= set(routers), "they are renewed"
    lab.kill_all("a", "pyhad")
    wait_until(lambda: lab.addresses("a") & set(routers) == {"2001:db8::104"}, 2, "the kernel let go")
