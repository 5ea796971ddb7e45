"""The netlink codec and what stands on it against the real kernel, in a namespace of its own."""

from __future__ import annotations

import collections
import ctypes
import errno
import os
import socket
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from pyhad.common.config.model import VirtualAddress
from pyhad.vrrp_proc.kernel import netlink
from pyhad.vrrp_proc.kernel.addresses import Addresses, request_of
from pyhad.vrrp_proc.kernel.links import Changes, LinkMonitor
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket
from pyhad.vrrp_proc.wire.announce import Announcer
from pyhad.vrrp_proc.wire.sockets import Receiver, Sender
from tests.lab.net import Lab, wait_until

pytestmark = pytest.mark.lab
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def enter(lab: Lab, host: str) -> None:
    """Sockets made from now on are on `host`; only for a child of `inside`."""
    fd = os.open(f"/run/netns/{lab.host(host)}", os.O_RDONLY)
    try:
        if _libc.setns(fd, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


def inside(lab: Lab, host: str, work: Callable[[], None]) -> None:
    """Run `work` in a child on `host`; its failure is ours."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            enter(lab, host)
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
        outcome = watched.addresses.install(vips(1000))
        assert (len(outcome.done), outcome.already, outcome.failed) == (1000, (), ())
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


def test_renewals_are_not_heard_but_what_they_bring_back_is(host: Lab) -> None:
    def work() -> None:
        watched = Watched()
        one = vips(1)
        watched.addresses.install(one)
        watched.monitor.read()
        assert watched.has("10.1.0.1")
        told = len(watched.told)
        order = netlink.encode_lifetime(request_of(one[0], watched.monitor.links.by_name["eth0"].index), 100)
        time.sleep(0.05)  # the kernel's stamps are of 10 ms
        assert watched.route.tell(order) == 0
        watched.monitor.read()
        assert len(watched.told) == told
        watched.addresses.remove(one)
        watched.monitor.read()
        assert not watched.has("10.1.0.1")
        assert watched.route.tell(order) == 0
        watched.monitor.read()
        assert watched.has("10.1.0.1")
        assert watched.monitor.refused == 0

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

        def run(command: str, *wanted: str) -> Changes:
            """What is told of it, up to the last of the links that are wanted."""
            before, changes = len(watched.told), Changes()
            assert os.system(command) == 0

            def is_told() -> bool:
                watched.monitor.read()
                for told in watched.told[before:]:
                    changes.links |= told.links
                    changes.addresses |= told.addresses
                return changes.links >= set(wanted)

            wait_until(is_told, 2, f"{wanted} are told of after {command}")
            return changes

        def waits_for(is_usable: bool) -> None:  # the kernel speaks of a carrier at most once a second
            wait_until(
                lambda: watched.monitor.read() or links.by_name["x0"].is_usable is is_usable, 2, f"usable: {is_usable}"
            )

        run("ip link add x0 type veth peer name y0", "x0")
        assert not links.by_name["x0"].is_usable
        run("ip link set x0 up; ip link set y0 up")
        waits_for(True)
        assert run("ip addr add 10.9.0.1/24 dev x0").addresses == {("x0", "10.9.0.1")}
        run("ip link set y0 down", "x0", "y0")
        waits_for(False)
        run("ip link set x0 down; ip link set x0 name z0", "x0", "z0")
        assert links.by_name["z0"].has_address("10.9.0.1")
        run("ip link del z0", "z0", "y0")
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
        forged = netlink.message(
            netlink.RTM_NEWLINK, 0, 0, netlink._IFINFO.pack(0, 1, 99, 1, 0) + netlink.attribute(3, b"evil0\0")
        )
        port_id = watched.monitor._socket.getsockname()[0]
        sender = RouteSocket()
        sender._socket.sendto(forged, (port_id, 0))
        watched.monitor.read()
        assert "evil0" not in watched.monitor.links.by_name
        assert watched.monitor.refused == 1

    inside(host, "h", work)


def advert(vrid: int, group: str) -> bytes:
    """An IPv4 packet with just enough VRRP for the filters; the kernel fills in checksum and length."""
    head = bytes.fromhex("45c0000000000000ff700000") + socket.inet_aton("10.0.0.2") + socket.inet_aton(group)
    return head + bytes((0x31, vrid, 100, 0, 0, 100, 0, 0))


@pytest.mark.behaviour("PKT-9")
@pytest.mark.behaviour("PKT-20")
@pytest.mark.behaviour("PKT-38")
def test_only_wanted_vrids_of_the_own_interface_and_group_arrive_and_nothing_comes_back(host: Lab) -> None:
    host.wire("h", "eth1", "lan2", "10.1.0.1/24")
    host.wire("peer", "eth0", "lan", "10.0.0.2/24")
    host.wire("peer", "eth1", "lan2", "10.1.0.2/24")

    def work() -> None:
        links = Watched().monitor.links.by_name
        got: dict[str, list[int]] = {"eth0": [], "eth1": []}

        def receiver(name: str, *vrids: int) -> Receiver:
            return Receiver(name, links[name].index, ["224.0.0.18"], vrids, lambda packet: got[name].append(packet[21]))

        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # somebody else on this host wants another group
        member = socket.inet_aton("224.0.0.99") + bytes(4) + links["eth0"].index.to_bytes(4, "little")
        other.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        receivers = [receiver("eth0", 51, 52), receiver("eth1", 51)]
        own = Sender("eth0", links["eth0"].index)
        enter(host, "peer")
        there = Watched().monitor.links.by_name
        for name, vrids in (("eth0", (51, 7, 52)), ("eth1", (52, 51, 255))):
            sender = Sender(name, there[name].index)
            for vrid in vrids:
                assert sender.send(advert(vrid, "224.0.0.18"), "224.0.0.18") == 0
            assert sender.send(advert(51, "224.0.0.99"), "224.0.0.99") == 0
        assert own.send(advert(51, "224.0.0.18"), "224.0.0.18") == 0
        time.sleep(0.2)
        for one in receivers:
            one.read()
        assert got == {"eth0": [51, 52], "eth1": [51]}

    inside(host, "h", work)


def test_sending_on_a_link_that_is_down_is_an_errno_and_no_exception(host: Lab) -> None:
    def work() -> None:
        sender = Sender("eth0", Watched().monitor.links.by_name["eth0"].index)
        assert os.system("ip link set eth0 down") == 0
        assert sender.send(advert(51, "224.0.0.18"), "224.0.0.18") in (errno.ENETDOWN, errno.ENETUNREACH)

    inside(host, "h", work)


@pytest.mark.behaviour("NET-27")
def test_nothing_is_announced_where_there_is_no_arp(host: Lab) -> None:
    def work() -> None:
        watched = Watched()
        counters: collections.Counter[str] = collections.Counter()
        announcer = Announcer(watched.monitor.links, counters)
        assert announcer.announce(vips(3), 2) == 6
        assert os.system("ip link set eth0 arp off") == 0
        watched.monitor.read()
        assert announcer.announce(vips(3), 2) == 0
        assert dict(counters) == {"garp_sent": 6, "garp_skipped": 3}

    inside(host, "h", work)
