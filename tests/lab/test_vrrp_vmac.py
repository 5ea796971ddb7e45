"""Virtual MACs beside the real keepalived: in both roles, over deaths and restarts, and what a client learns of it."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, log_lines, wait_until

pytestmark = pytest.mark.lab

PYHAD = os.environ.get("PYHAD_UNDER_TEST", str(Path(sys.executable).with_name("pyhad")))
ADDRESS = {"a": "10.0.0.1", "b": "10.0.0.2"}
VIP, VIP6 = "10.0.0.100", "fd00::100"
VIRTUAL, VIRTUAL6 = "00:00:5e:00:01:33", "00:00:5e:00:02:33"
DOWN_S = 0.2 * 3 + 0.2 * 156 / 256
BUSY_S = 1.0
"""What a loaded machine may add to any reaction."""
INSTANCE = """
vrrp_instance {name} {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.2
    version 3
    {more}
    virtual_ipaddress {{
        {addresses}
    }}
}}
"""


def config(priority: int, more: str = "use_vmac", *, both: bool = True) -> str:
    """One router, or one of each family."""
    text = "global_defs {\n router_id lab\n vrrp_garp_master_delay 1\n}\n"
    text += INSTANCE.format(name="V4", priority=priority, more=more, addresses=f"{VIP}/24")
    if both:
        text += INSTANCE.format(name="V6", priority=priority, more=more, addresses=f"fe80::100/64\n{VIP6}/64")
    return text


class Segment:
    """Hosts a and b, each to run a director, and a client, on one LAN."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        for number, host in enumerate(("a", "b", "client"), start=1):
            address = ADDRESS.get(host, "10.0.0.10")
            lab.wire(host, "eth0", "lan", f"{address}/24", f"fe80::{number}/64", f"fd00::{number}/64")

    def start(self, host: str, daemon: str, text: str, *, second: bool = False) -> Running:
        """Start it, or a second one beside it; returns when it listens."""
        stem = f"{host}2" if second else host
        path, log = self.folder / f"{stem}.conf", self.folder / f"{stem}.log"
        path.write_text(text)
        path.chmod(0o644)
        files = [word for option in "prc" for word in (f"-{option}", str(self.folder / f"{stem}.{option}.pid"))]
        command = ["keepalived", "-n", "-l", "-D", "-f", str(path), *files]
        if daemon == "pyhad":
            command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(self.folder / f"{stem}.run")]
        wanted = (log.read_text().count("BACKUP") if log.exists() else 0) + text.count("vrrp_instance")
        running = self.lab.start(host, *command, log=log)
        wait_until(lambda: log.read_text().count("BACKUP") >= wanted, 60, f"{daemon} on {host} listens")
        return running

    def holders(self, address: str = VIP) -> list[str]:
        return self.lab.holders(address, ADDRESS)

    def wait_for(self, host: str, timeout_s: float, *addresses: str) -> float:
        """Until `host` alone holds them."""
        held = addresses or (VIP, VIP6)
        return wait_until(
            lambda: all(self.holders(one) == [host] for one in held), timeout_s, f"{host} alone holds {held}"
        )

    def children(self, host: str, name: str) -> list[int]:
        return self.lab.pids(host, name)

    def wait_for_master(self, host: str, times: int) -> None:
        """Until its log says so for the so many-th time: an address may be a dead daemon's."""
        changes = lambda: [line for line in log_lines(self.folder / f"{host}.log") if line.get("new") == "MASTER"]  # noqa: E731
        wait_until(lambda: len(changes()) >= times, 5, f"{host} is master for the {times}. time")

    def links(self, host: str) -> dict[str, str]:
        """`ip -o -d link` by name."""
        lines = self.lab.run(host, "ip", "-o", "-d", "link").splitlines()
        return {line.split(":")[1].strip().partition("@")[0]: line for line in lines}

    def learnt(self, address: str = VIP) -> str:
        """The MAC that the client has of it now, after a ping or some."""
        for _ in range(10):
            self.lab.run("client", "ping", "-c1", "-W1", address, check=False)
            found = re.search(r"lladdr (\S+)", self.lab.run("client", "ip", "neigh", "show", address))
            if found:
                return found.group(1)
        return ""

    def answers(self, address: str = VIP) -> bool:
        return " 0% packet loss" in self.lab.run("client", "ping", "-c2", "-i0.2", "-W1", address, check=False)

    def setting(self, host: str, name: str) -> str:
        return self.lab.run(host, "cat", f"/proc/sys/net/{name}").strip()


@pytest.fixture
def segment(lab: Lab, open_folder: Path) -> Iterator[Segment]:
    """Three hosts, nothing running yet."""
    made = Segment(lab, open_folder)
    yield made
    print("\n".join((open_folder / "a.log").read_text().splitlines()[-60:]))


@pytest.mark.rfc("9568-6.4.3f")
@pytest.mark.behaviour("VMAC-1")
@pytest.mark.behaviour("VMAC-2")
@pytest.mark.behaviour("VMAC-4")
@pytest.mark.behaviour("PROC-31")
@pytest.mark.rfc("9568-7.3")
def test_pyhad_leads_with_the_virtual_mac_over_stop_and_death(segment: Segment) -> None:
    before = segment.setting("a", "ipv4/conf/eth0/arp_ignore")
    master = segment.start("a", "pyhad", config(150))
    segment.start("b", "keepalived", config(100))
    segment.wait_for("a", 5)
    links = segment.links("a")
    assert "macvlan mode private" in links["vrrp.51"]
    assert (VIRTUAL in links["vrrp.51"], VIRTUAL6 in links["vrrp6.51"]) == (True, True)
    assert (segment.learnt(), segment.learnt(VIP6)) == (VIRTUAL, VIRTUAL6)
    wait_until(segment.answers, 5, "it answers")
    wait_until(lambda: segment.answers(VIP6), 5, "it answers")
    assert segment.setting("a", "ipv4/conf/eth0/arp_ignore") == "1"
    assert segment.setting("a", "ipv4/conf/vrrp.51/rp_filter") == "0"

    (child,) = segment.children("a", "pyhad_vrrp")
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: segment.children("a", "pyhad_vrrp") not in ([child], []), 5, "it has a successor")
    time.sleep(2 * DOWN_S)
    assert segment.holders() == ["a"]
    assert "Entering MASTER" not in (segment.folder / "b.log").read_text()
    assert segment.links("a")["vrrp.51"].split(":")[0] == links["vrrp.51"].split(":")[0], "the very same interface"

    master.signal(signal.SIGTERM)
    segment.wait_for("b", DOWN_S + BUSY_S)
    master.wait(40)
    assert not segment.links("a").keys() & {"vrrp.51", "vrrp6.51"}
    assert segment.setting("a", "ipv4/conf/eth0/arp_ignore") == before
    wait_until(segment.answers, 5, "keepalived answers")
    segment.start("a", "pyhad", config(150))
    segment.wait_for("a", 5)
    assert (segment.learnt(), segment.learnt(VIP6)) == (VIRTUAL, VIRTUAL6)


@pytest.mark.behaviour("VMAC-4")
@pytest.mark.behaviour("FSM-2")
def test_pyhad_follows_a_keepalived_with_virtual_macs_and_succeeds_it(segment: Segment) -> None:
    """Six of IPv4, more than have a socket of their own, and one of IPv6."""
    others = [f"10.0.0.{100 + number}" for number in range(1, 6)]

    def all_of(priority: int) -> str:
        return config(priority) + "".join(
            INSTANCE.format(name=f"W{number}", priority=priority, more="use_vmac", addresses=f"{address}/24")
            .replace("virtual_router_id 51", f"virtual_router_id {60 + number}")
            for number, address in enumerate(others)
        )  # fmt: skip

    master = segment.start("b", "keepalived", all_of(150))
    segment.wait_for("b", 5, VIP, VIP6, *others)
    segment.start("a", "pyhad", all_of(100))
    time.sleep(3 * DOWN_S)
    assert [segment.holders(one) for one in (VIP, VIP6, *others)] == [["b"]] * 7
    segment.lab.kill_all("b", "keepalived")
    master.wait(40)
    wait_until(
        lambda: all("a" in segment.holders(one) for one in (VIP, VIP6, *others)), DOWN_S + 2 * BUSY_S, "pyhad succeeds"
    )
    lab = segment.lab
    for name in ("vrrp.51", "vrrp6.51"):  # dead keepalived's, with its addresses
        lab.run("b", "ip", "link", "del", name)
    assert (segment.learnt(), segment.learnt(VIP6)) == (VIRTUAL, VIRTUAL6)
    wait_until(segment.answers, 5, "it answers")


@pytest.mark.behaviour("VMAC-5")
def test_what_a_killed_daemon_left_is_used_again_or_taken_away(segment: Segment) -> None:
    lab = segment.lab

    segment.start("a", "pyhad", config(150, both=False))
    segment.wait_for_master("a", 1)
    segment.wait_for("a", 5, VIP)
    lab.kill_all("a", "pyhad")
    left = segment.links("a")["vrrp.51"]
    segment.start("a", "pyhad", config(150, both=False))
    segment.wait_for_master("a", 2)
    segment.wait_for("a", 5, VIP)
    assert segment.links("a")["vrrp.51"].split(":")[0] == left.split(":")[0]
    lab.kill_all("a", "pyhad")
    lab.run("a", "ip", "link", "add", "theirs", "link", "eth0", "type", "macvlan", "mode", "bridge")
    running = segment.start("a", "pyhad", config(150, "use_vmac theirs", both=False))
    segment.wait_for_master("a", 3)
    segment.wait_for("a", 5, VIP)
    links = segment.links("a")
    assert "vmac_name_taken" in (segment.folder / "a.log").read_text()
    assert "mode bridge" in links["theirs"], "what is somebody else's is left alone"
    assert VIP in lab.run("a", "ip", "addr", "show", "vrrp.51"), "a name of the usual make instead"

    lab.run("a", "ip", "link", "del", "vrrp.51")
    wait_until(lambda: VIP in lab.addresses("a"), 3, "what somebody removed is made again, with its address")
    wait_until(segment.answers, 5, "it answers")
    lab.run("a", "ip", "link", "set", "eth0", "mtu", "1400")
    wait_until(lambda: "mtu 1400" in segment.links("a")["vrrp.51"], 3, "the MTU follows down")
    lab.run("a", "ip", "link", "set", "eth0", "mtu", "1500")
    wait_until(lambda: "mtu 1500" in segment.links("a")["vrrp.51"], 3, "the MTU follows up")

    lab.run("a", "ip", "link", "set", "eth0", "down")
    wait_until(lambda: VIP not in lab.addresses("a"), 3, "without its base it lets go")
    lab.run("a", "ip", "link", "set", "eth0", "up")
    wait_until(lambda: VIP in lab.addresses("a"), 5, "and comes back with it")

    (segment.folder / "a.conf").write_text(config(150, "", both=False))
    running.signal(signal.SIGHUP)
    wait_until(lambda: "vrrp.51" not in segment.links("a"), 5, "a reload without it takes it away")
    wait_until(lambda: VIP in lab.run("a", "ip", "addr", "show", "eth0"), 3, "and puts the address on the base")
    running.stop()
    assert segment.links("a").keys() == {"lo", "eth0", "theirs"}


@pytest.mark.behaviour("VMAC-20", "VMAC-21", "FIX-36")
def test_without_accept_mode_the_addresses_are_found_but_do_not_answer(segment: Segment) -> None:
    lab = segment.lab
    daemon = segment.start("a", "pyhad", config(150, "use_vmac\n    no_accept"))
    segment.wait_for("a", 5)
    assert not segment.answers()
    assert not segment.answers(VIP6)
    assert (segment.learnt(), segment.learnt(VIP6)) == (VIRTUAL, VIRTUAL6), "its MAC is told all the same"
    wait_until(lambda: segment.answers("10.0.0.1"), 5, "its own address answers")
    rules = lab.run("a", "nft", "list", "ruleset")
    assert "mld2-listener-report dup to ip6 daddr device oifname map @bases drop" in rules
    lab.kill_all("a", "pyhad")
    masters = sum(line.get("new") == "MASTER" for line in log_lines(segment.folder / "a.log"))
    daemon = segment.start("a", "pyhad", config(150, "", both=False))
    segment.wait_for_master("a", masters + 1)
    segment.wait_for("a", 5, VIP)
    assert "keepalived" not in lab.run("a", "nft", "list", "ruleset"), "what a killed one left is taken away"
    wait_until(segment.answers, 5, "it answers")
    (segment.folder / "a.conf").write_text(config(150, "no_accept", both=False))
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: not segment.answers(), 5, "a reload closes it")
    daemon.stop()
    assert "keepalived" not in lab.run("a", "nft", "list", "ruleset")


@pytest.mark.behaviour("VMAC-4")
def test_one_daemon_speaks_with_a_virtual_mac_and_with_that_of_the_base(segment: Segment) -> None:
    other = "10.0.0.101"

    def mixed(priority: int) -> str:
        text = INSTANCE.format(
            name="W", priority=priority, more="use_vmac\n    vmac_xmit_base", addresses=f"{other}/24"
        )
        return config(priority, both=False) + text.replace("virtual_router_id 51", "virtual_router_id 52")

    master = segment.start("b", "keepalived", mixed(150))
    segment.wait_for("b", 10, VIP, other)
    segment.start("a", "pyhad", mixed(100))
    time.sleep(3 * DOWN_S)
    assert [segment.holders(one) for one in (VIP, other)] == [["b"], ["b"]]
    master.stop()
    segment.wait_for("a", 10, VIP, other)
    segment.start("b", "keepalived", mixed(50))
    time.sleep(3 * DOWN_S)
    assert [segment.holders(one) for one in (VIP, other)] == [["a"], ["a"]]
    assert (segment.learnt(), segment.learnt(other)) == (VIRTUAL, VIRTUAL[:-2] + "34")


@pytest.mark.behaviour("VMAC-2")
def test_of_two_daemons_on_one_base_the_first_that_ends_takes_nothing_from_the_other(segment: Segment) -> None:
    other = "10.0.0.101"
    text = INSTANCE.format(name="W", priority=150, more="use_vmac", addresses=f"{other}/24")
    segment.lab.run("a", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/rp_filter")
    first = segment.start("a", "pyhad", config(150, both=False))
    segment.wait_for("a", 5, VIP)
    second = segment.start(
        "a", "pyhad", "instance second\n" + text.replace("router_id 51", "router_id 52"), second=True
    )
    segment.wait_for("a", 5, other)
    first.stop()
    assert segment.links("a").keys() == {"lo", "eth0", "vrrp.52"}
    assert [segment.setting("a", f"ipv4/conf/eth0/{word}") for word in ("arp_ignore", "arp_announce")] == ["1", "2"]
    assert segment.setting("a", "ipv4/conf/all/rp_filter") == "0"
    assert segment.learnt(other) == VIRTUAL[:-2] + "34"
    assert segment.answers(other)
    second.stop()
    assert segment.links("a").keys() == {"lo", "eth0"}
