"""Sync groups over two LANs beside keepalived, in both roles: both addresses are always on one host."""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path

import pytest

from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.wire.sockets import Sender
from tests.lab.net import PATIENCE_S, Lab, Running, log_lines, wait_until
from tests.lab.test_vrrp_interop import PYHAD
from tests.lab.test_vrrp_kernel import inside

pytestmark = pytest.mark.lab

VIPS = ("10.0.0.100", "10.1.0.100")


def config(folder: Path, host: str, priority: int) -> str:
    instances = "".join(
        f"""
vrrp_instance V{number} {{
    state BACKUP
    interface eth{number}
    virtual_router_id 51
    priority {priority}
    advert_int 0.2
    version 3
    virtual_ipaddress {{
        {vip}
    }}
}}
"""
        for number, vip in enumerate(VIPS)
    )
    return f"""
global_defs {{
    vrrp_garp_master_delay 1
    vrrp_notify_fifo {folder}/{host}.fifo
    script_user root
}}
vrrp_sync_group G {{
    group {{
        V0
        V1
    }}
}}
{instances}"""


class Hosts:
    """a and b on two LANs."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.daemons: dict[str, Running] = {}
        for number, host in enumerate(("a", "b"), 1):
            for lan in (0, 1):
                lab.wire(host, f"eth{lan}", f"lan{lan}", f"10.{lan}.0.{number}/24")
        time.sleep(1.2)  # the kernel speaks of a link at most once a second

    def start(self, host: str, daemon: str, priority: int) -> None:
        path, log = self.folder / f"{host}.conf", self.folder / f"{host}.log"
        path.write_text(config(self.folder, host, priority))
        path.chmod(0o644)
        files = [word for option in "prc" for word in (f"-{option}", str(self.folder / f"{host}.{option}"))]
        command = ["keepalived", "-n", "-l", "-D", "-f", str(path), *files]
        if daemon == "pyhad":
            command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(self.folder / f"{host}.run")]
        self.daemons[host] = self.lab.start(host, *command, log=log)
        fifo = self.folder / f"{host}.fifo"
        wait_until(fifo.is_fifo, 5, "the fifo is there")
        self.lab.start(host, "cat", str(fifo), log=self.folder / f"{host}.lines")
        wait_until(lambda: log.read_text().count("BACKUP") > 1, 60, f"{daemon} on {host} listens")

    def held(self) -> dict[str, list[str]]:
        return {host: [vip for vip in VIPS if vip in self.lab.addresses(host)] for host in ("a", "b")}

    def wait_for(self, host: str, timeout_s: float = 6) -> None:
        wanted = {"a": [], "b": []} | {host: list(VIPS)}
        wait_until(lambda: self.held() == wanted, timeout_s, f"{host} alone holds both")

    def lines(self, host: str) -> list[str]:
        return (self.folder / f"{host}.lines").read_text().splitlines()


@pytest.fixture
def hosts(lab: Lab, open_folder: Path) -> Hosts:
    """Nothing runs."""
    return Hosts(lab, open_folder)


@pytest.mark.behaviour("GRP-1", "GRP-2")
@pytest.mark.parametrize(("master", "backup"), [("pyhad", "keepalived"), ("keepalived", "pyhad")])
def test_a_group_moves_as_one_in_both_roles(hosts: Hosts, master: str, backup: str) -> None:
    hosts.start("a", master, 150)
    hosts.wait_for("a")
    hosts.start("b", backup, 100)
    time.sleep(1)
    assert hosts.held() == {"a": list(VIPS), "b": []}
    for interface in ("eth0", "eth1"):
        hosts.lab.cut("a", interface)
        hosts.wait_for("b")
        time.sleep(0.6)
        assert hosts.held() == {"a": [], "b": list(VIPS)}
        hosts.lab.mend("a", interface)
        hosts.wait_for("a")
    hosts.daemons["a"].signal(signal.SIGTERM)
    hosts.wait_for("b", 2)


@pytest.mark.behaviour("GRP-6", "GRP-7", "NTF-20")
def test_a_group_is_told_of_as_keepalived_does(hosts: Hosts) -> None:
    told: dict[str, list[str]] = {}
    for daemon, host in (("pyhad", "a"), ("keepalived", "b")):
        hosts.start(host, daemon, 100)
        hosts.wait_for(host)
        hosts.lab.cut(host, "eth1")
        wait_until(lambda h=host: hosts.held()[h] == [], 4, "both are gone")  # type: ignore[misc]
        wait_until(lambda h=host: "FAULT" in "".join(hosts.lines(h)[-1:]), 4, "the fault is told")  # type: ignore[misc]
        time.sleep(0.3)
        hosts.daemons[host].stop()
        wait_until(lambda h=host: len(hosts.lines(h)) >= 12, 4, "the stop is told")  # type: ignore[misc]
        told[daemon] = hosts.lines(host)
        hosts.lab.mend(host, "eth1")
    groups = {daemon: [line for line in lines if line.startswith("GROUP")] for daemon, lines in told.items()}
    assert groups["pyhad"] == groups["keepalived"]
    for lines in told.values():
        assert lines[0] == 'GROUP "G" BACKUP 0'
        assert lines[5] == 'GROUP "G" MASTER 0', "after its members"
    assert sorted(told["pyhad"]) == sorted(told["keepalived"])


@pytest.mark.behaviour("GRP-8")
def test_a_lesser_router_on_one_lan_has_all_members_announce(hosts: Hosts) -> None:
    """A forged advert of priority 10 on the first LAN; the second one's neighbours are told too."""
    hosts.start("a", "pyhad", 150)
    hosts.wait_for("a")
    time.sleep(1.5)  # the second burst (garp_master_delay 1) is over

    def work() -> None:
        lesser = VrrpInstance(
            name="V0", vrid=51, family=4, interface="eth0", version=3, start_as_master=False, base_priority=10,
            advertisement_interval_cs=20, addresses=(VirtualAddress(address=VIPS[0], prefix_len=32, interface="eth0"),),
        )  # fmt: skip
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0806))
        ear.bind(("eth1", 0x0806))
        ear.settimeout(PATIENCE_S)
        outgoing = Outgoing(lesser)
        outgoing.change(lesser, "10.0.0.2")
        sender = Sender("eth0", socket.if_nametoindex("eth0"))
        for packet, destination in outgoing.packets(10, time.time_ns()):
            assert sender.send(packet, destination) == 0
        while True:  # sender and target are the virtual address; TimeoutError ends it
            frame = ear.recv(64)
            if frame[28:32] == frame[38:42] == socket.inet_aton(VIPS[1]):
                return

    inside(hosts.lab, "b", work)
    log = hosts.folder / "a.log"
    wait_until(lambda: "lower_priority_heard" in log.read_text(), 5, "the log says why")


def test_a_killed_vrrp_process_keeps_its_group_together(hosts: Hosts) -> None:
    hosts.start("a", "pyhad", 150)
    hosts.wait_for("a")
    hosts.start("b", "keepalived", 100)
    log = hosts.folder / "a.log"
    os.kill(next(line["pid"] for line in log_lines(log) if line["process"] == "vrrp"), signal.SIGKILL)
    wait_until(lambda: log.read_text().count("resumed_after_restart") == 2, 3, "the successor goes on")
    time.sleep(1)
    assert hosts.held() == {"a": list(VIPS), "b": []}
    assert "MASTER STATE" not in (hosts.folder / "b.log").read_text()
    assert len(hosts.lines("a")) == 6, "nothing is told again"
