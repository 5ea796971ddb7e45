"""The netlink codec and what stands on it against the real kernel, in a namespace of its own."""

from __future__ import annotations

import ctypes
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.vrrp_proc import netlink
from pyhad.vrrp_proc.addresses import Addresses
from pyhad.vrrp_proc.links import Changes, LinkMonitor
from pyhad.vrrp_proc.route_socket import RouteSocket
from tests.lab.net import Lab

pytestmark = pytest.mark.lab
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def inside(lab: Lab, host: str, work: Callable[[], None]) -> None:
    """Run `work` in a child on `host`; its failure is ours."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            fd = os.open(f"/run/netns/{lab.host(host)}", os.O_RDONLY)
            if _libc.setns(fd, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.fixture
def host(lab: Lab) -> Lab:
    """A host h with eth0, 10.0.0.1/24 and fd00::1/64."""
    lab.wire("h", "eth0", "lan", "10.0.0.1/24", "fd00::1/64")
    return lab


def vips(count: int) -> list[VirtualAddress]:
    return [
        VirtualAddress(address=f"10.1.{place // 250}.{place % 250 + 1}", prefix_len=32, interface="eth0")
        for place in range(count)
    ]


class Watched:
    """A monitor with what it told."""

    def __init__(self) -> None:
        self.told: list[Changes] = []
        self.route = RouteSocket()
        self.monitor = LinkMonitor(self.route, self.told.append)
        self.addresses = Addresses(self.route, self.monitor.links)

    def has(self, address: str) -> bool:
        return self.monitor.links.by_name["eth0"].has_address(address)


def test_a_thousand_addresses_come_and_go_in_batches(host: Lab) -> None:
    def work() -> None:
        watched = Watched()
        start_ns = time.monotonic_ns()
        outcome = watched.addresses.install(vips(1000))
        took_ms = (time.monotonic_ns() - start_ns) / 1e6
        assert (len(outcome.done), outcome.already, outcome.failed) == (1000, (), ())
        assert took_ms < 500, took_ms
        for _ in range(10):
            watched.monitor.read()
        assert watched.has("10.1.3.250")
        assert watched.addresses.is_marked(vips(1)[0])
        assert len(watched.addresses.install(vips(1000)).already) == 1000
        assert len(watched.addresses.remove(vips(1000)).done) == 1000
        assert len(watched.addresses.remove(vips(1000)).already) == 1000
        for _ in range(10):
            watched.monitor.read()
        assert not watched.has("10.1.3.250")
        assert watched.monitor.overruns == 0
        assert watched.monitor.refused == watched.route.refused == 0

    inside(host, "h", work)


def test_prefix_scope_label_and_broadcast_arrive(host: Lab) -> None:
    def work() -> None:
        address = VirtualAddress(
            address="10.2.0.1", prefix_len=24, interface="eth0", scope=253, label="eth0:vip", broadcast="10.2.0.255"
        )
        six = VirtualAddress(address="fd00::100", prefix_len=128, interface="eth0")
        assert len(Watched().addresses.install([address, six]).done) == 2

    inside(host, "h", work)
    shown = host.run("h", "ip", "addr", "show", "eth0")
    assert "inet 10.2.0.1/24 brd 10.2.0.255 scope link eth0:vip" in shown
    assert "inet6 fd00::100/128 scope global nodad" in shown


def test_links_that_appear_go_down_are_renamed_and_vanish_are_followed(host: Lab) -> None:
    def work() -> None:
        watched = Watched()
        links = watched.monitor.links
        assert links.by_name["eth0"].is_usable
        assert links.by_name["eth0"].primary_ipv4(frozenset()) == "10.0.0.1"
        assert not links.by_name["lo"].flags & netlink.IFF_NOARP

        def run(command: str) -> Changes:
            before = len(watched.told)
            assert os.system(command) == 0
            watched.monitor.read()
            changes = Changes()
            for told in watched.told[before:]:
                changes.links |= told.links
                changes.addresses |= told.addresses
            return changes

        assert "x0" in run("ip link add x0 type veth peer name y0").links
        assert not links.by_name["x0"].is_usable
        run("ip link set x0 up; ip link set y0 up")
        assert links.by_name["x0"].is_usable
        assert run("ip addr add 10.9.0.1/24 dev x0").addresses == {("x0", "10.9.0.1")}
        assert run("ip link set y0 down").links >= {"x0", "y0"}
        assert not links.by_name["x0"].is_usable
        assert run("ip link set x0 down; ip link set x0 name z0").links >= {"x0", "z0"}
        assert links.by_name["z0"].has_address("10.9.0.1")
        assert run("ip link del z0").links >= {"z0", "y0"}
        assert set(links.by_name) == {"lo", "eth0"}

    inside(host, "h", work)


def test_lost_notifications_are_made_good_by_asking_everything_again(host: Lab) -> None:
    def work() -> None:
        watched = Watched()
        for _ in range(6):
            watched.addresses.install(vips(1000))
            watched.addresses.remove(vips(1000))
        watched.addresses.install(vips(3))
        for _ in range(100):
            watched.monitor.read()
        assert watched.monitor.overruns > 0
        assert [address for address, _ in watched.monitor.links.by_name["eth0"].addresses if ":" not in address] == [
            "10.0.0.1", "10.1.0.1", "10.1.0.2", "10.1.0.3",
        ]  # fmt: skip

    inside(host, "h", work)


def test_what_another_process_sends_to_the_socket_is_refused(host: Lab, tmp_path: Path) -> None:
    def work() -> None:
        watched = Watched()
        forged = netlink._message(
            netlink.RTM_NEWLINK, 0, 0, netlink._IFINFO.pack(0, 1, 99, 1, 0) + netlink._attribute(3, b"evil0\0")
        )
        port_id = watched.monitor._socket.getsockname()[0]
        sender = RouteSocket()
        sender._socket.sendto(forged, (port_id, 0))
        watched.monitor.read()
        assert "evil0" not in watched.monitor.links.by_name
        assert watched.monitor.refused == 1

    inside(host, "h", work)
