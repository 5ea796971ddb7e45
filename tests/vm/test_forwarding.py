"""TCP and UDP through the kernel's IPVS by NAT, DR and tunnels, over IPv4 and IPv6, in their shares.

One LAN: client .10, director .1, web1 .11, web2 .12. For DR and TUN the real servers hold the virtual addresses
themselves, silently, and answer the client directly; for NAT the client is behind the director, in a net of its own.
The director's IPv6 virtual addresses are deprecated (preferred_lft 0), as VRRP installs them: else the kernel takes one
as the source of the tunnel's packets, and a tunnel drops what comes from an address that its own host holds.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, wait_until
from tests.vm.ipvs_owner import Owner, service

pytestmark = pytest.mark.vm

WAYS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "NAT": ("192.0.2.100", "NAT", {}),
    "DR": ("192.0.2.101", "DR", {}),
    "ipip": ("192.0.2.102", "TUN", {"type": "ipip"}),
    "gue": ("192.0.2.103", "TUN", {"type": "gue", "port": 6080}),
    "gre": ("192.0.2.104", "TUN", {"type": "gre"}),
    "NAT6": ("fd00:2::100", "NAT", {}),
    "DR6": ("fd00:2::101", "DR", {}),
    "ipip6": ("fd00:2::102", "TUN", {"type": "ipip"}),
    "gue6": ("fd00:2::103", "TUN", {"type": "gue", "port": 6080}),
    "gre6": ("fd00:2::104", "TUN", {"type": "gre"}),
}
"""A virtual address for each way, and how its servers are reached."""
SHARES = {"web1": 9, "web2": 3}


def build(lab: Lab) -> None:
    lab.host("director", forward=True)
    lab.sysctl("director", "net.ipv6.conf.all.forwarding", "1")
    lab.wire("director", "eth0", "lan", "192.0.2.1/24", "fd00:2::1/64")
    lab.wire("director", "eth1", "far", "198.51.100.1/24", "fd00:9::1/64")
    lab.wire("client", "eth0", "lan", "192.0.2.10/24", "fd00:2::10/64")
    lab.wire("far", "eth0", "far", "198.51.100.10/24", "fd00:9::10/64")
    lab.route("far", "default", "via", "198.51.100.1")
    lab.run("far", "ip", "-6", "route", "add", "default", "via", "fd00:9::1")
    addresses = [_with_length(address) for address, _, _ in WAYS.values()]
    deprecated = [f"{address} preferred_lft 0" if ":" in address else address for address in addresses]
    script(lab, "director", *(f"ip addr add {address} dev eth0" for address in deprecated))
    for number in (1, 2):
        _build_server(lab, f"web{number}", f"192.0.2.1{number}", f"fd00:2::1{number}")


def script(lab: Lab, host: str, *commands: str) -> None:
    """One process for many commands: each would cost half a second here."""
    lab.run(host, "sh", "-ec", "\n".join(commands), timeout_s=60)


def _with_length(address: str) -> str:
    return f"{address}/128 nodad" if ":" in address else f"{address}/32"


def _build_server(lab: Lab, web: str, own: str, own6: str) -> None:
    """It holds the virtual addresses on `lo`, answers no question for them, and unwraps what comes in tunnels."""
    lab.wire(web, "eth0", "lan", f"{own}/24", f"{own6}/64")
    held = [address for way, (address, _, _) in WAYS.items() if not way.startswith("NAT")]
    script(
        lab, web,
        "ip route add default via 192.0.2.1", "ip -6 route add default via fd00:2::1",
        "modprobe fou || true",  # it is not loaded for being asked for
        "modprobe fou6 || true",
        f"ip link add t4 type ipip local {own}", f"ip link add g4 type gre local {own}",
        f"ip link add t6 type ip6tnl mode ip6ip6 local {own6} remote :: dev eth0",
        f"ip link add g6 type ip6gre local {own6} remote :: dev eth0",
        "ip fou add port 6080 gue", "ip -6 fou add port 6080 gue",
        *(f"ip link set {device} up" for device in ("t4", "g4", "t6", "g6", "lo")),
        "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore", "echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce",
        *(f"echo 0 > /proc/sys/net/ipv4/conf/{device}/rp_filter" for device in ("all", "eth0", "t4", "g4")),
        *(f"ip addr add {_with_length(address)} dev lo" for address in held),
    )  # fmt: skip
    lab.start(web, sys.executable, "-m", "tests.lab.connections", "server", web)


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[str, dict[str, int]]]:
    """Who answered how often, by `tcp/ADDRESS` and `udp/ADDRESS`, while pyhad's owner has the table."""
    folder = Path(tempfile.mkdtemp(prefix="pyhad-"))
    folder.chmod(0o755)  # the owner is not root and must reach its bus
    with Lab() as lab:
        build(lab)
        owner = Owner(lab.argv("director"), folder, {"plane": "ipvs", "services": services()})
        for number in (1, 2):
            wait_until(lambda number=number: ":80" in lab.run(f"web{number}", "ss", "-Hltn"), 60, "it listens", 0.5)
        found: dict[str, dict[str, int]] = {}
        for client in ("far", "client"):
            ways = [address for way, (address, _, _) in WAYS.items() if way.startswith("NAT") == (client == "far")]
            targets = [f"{protocol}/{address}" for address in ways for protocol in ("tcp", "udp")]
            program = (sys.executable, "-m", "tests.lab.connections", "ask", str(sum(SHARES.values())), *targets)
            found |= json.loads(lab.run(client, *program, timeout_s=120))
        yield found
        owner.close()
    shutil.rmtree(folder)


def services() -> list[dict[str, Any]]:
    found = []
    for address, forwarding, tunnel in WAYS.values():
        pattern = "[fd00:2::1{}]:{}" if ":" in address else "192.0.2.1{}:{}"
        host = f"[{address}]" if ":" in address else address
        for protocol, port in (("tcp", 80), ("udp", 53)):
            servers = {pattern.format(number, port): weight for number, weight in ((1, 3), (2, 1))}
            found.append(
                service(f"{host}:{port}/{protocol}", servers, scheduler="wrr", forwarding=forwarding, tunnel=tunnel)
            )
    return found


@pytest.mark.behaviour("LVS-7")
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("way", list(WAYS))
def test_each_way_leads_to_the_servers_in_their_shares(
    answers: dict[str, dict[str, int]], way: str, protocol: str
) -> None:
    assert answers[f"{protocol}/{WAYS[way][0]}"] == SHARES
