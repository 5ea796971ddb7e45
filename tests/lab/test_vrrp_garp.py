"""Announcements on the wire, counted: bursts, refreshes and limits beside keepalived's; new hardware addresses."""

from __future__ import annotations

import datetime
import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, log_lines, wait_until
from tests.lab.test_vrrp_interop import PYHAD

pytestmark = pytest.mark.lab

CONFIG = """
garp_group {
    garp_interval 0.2
    interface eth1
}
vrrp_instance A {
    interface eth0
    virtual_router_id 51
    version 3
    advert_int 0.1
    garp_master_delay 1
    garp_master_repeat 3
    garp_master_refresh 2
    garp_master_refresh_repeat 2
    virtual_ipaddress {
        10.0.0.101
        10.0.0.102
    }
}
vrrp_instance B {
    interface eth1
    virtual_router_id 52
    version 3
    advert_int 0.1
    garp_master_delay 0
    garp_master_repeat 4
    virtual_ipaddress {
        10.0.1.101
        10.0.1.102
    }
}
"""
Frame = tuple[float, str]


class Ear:
    """Hears four LANs: those of host a (pyhad) and of host b (keepalived), two each."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.capture = folder / "garp.pcapng"
        for host, number in (("a", 0), ("a", 1), ("b", 0), ("b", 1)):
            lab.wire(host, f"eth{number}", f"{host}{number}", f"10.0.{number}.1/24")
            lab.wire("ear", f"{host}{number}", f"{host}{number}")
        words = [word for name in ("a0", "a1", "b0", "b1") for word in ("-i", name, "-f", "arp")]
        self.dumpcap = lab.start("ear", "dumpcap", "-q", *words, "-w", str(self.capture), log=folder / "dumpcap.log")
        wait_until(lambda: "Capturing on" in (folder / "dumpcap.log").read_text(), 60, "dumpcap listens")
        time.sleep(0.3)

    def start(self, host: str, text: str = CONFIG) -> Running:
        path = self.folder / f"{host}.conf"
        path.write_text(text)
        path.chmod(0o644)
        command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(self.folder / "run")]
        if host == "b":
            files = [word for one in "prc" for word in (f"-{one}", str(self.folder / f"{host}.{one}.pid"))]
            command = ["keepalived", "-n", "-l", "-D", "-P", "-f", str(path), *files]
        return self.lab.start(host, *command, log=self.folder / f"{host}.log")

    def heard(self) -> dict[str, list[Frame]]:
        """By LAN: (time of day, address and MAC) of each gratuitous ARP."""
        self.dumpcap.stop()
        fields = [word for name in ("frame.interface_name", "frame.time_epoch", "arp.src.proto_ipv4", "arp.src.hw_mac")
                  for word in ("-e", name)]  # fmt: skip
        command = ["tshark", "-n", "-r", str(self.capture), "-Y", "arp.isgratuitous == 1", "-T", "fields", *fields]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        found: dict[str, list[Frame]] = {}
        for line in done.stdout.splitlines():
            lan, at, address, mac = line.split("\t")
            found.setdefault(lan, []).append((float(at), f"{address} {mac}"))
        return found


@pytest.fixture
def ear(lab: Lab, open_folder: Path) -> Ear:
    """It listens; nothing runs yet."""
    return Ear(lab, open_folder)


def bursts(frames: list[Frame]) -> list[tuple[float, list[str]]]:
    """(seconds since the first, last parts of the addresses) of the first four; a pause of half a second ends one."""
    found: list[tuple[float, list[str]]] = []
    last = 0.0
    for at, what in frames:
        if at - last > 0.5:
            found.append((at - frames[0][0], []))
        found[-1][1].append(what.split()[0].rpartition(".")[2])
        last = at
    return found[:4]


@pytest.mark.behaviour("NET-20", "NET-22", "NET-23", "NET-25")
def test_bursts_refreshes_and_limits_are_those_of_keepalived(ear: Ear) -> None:
    for host in "ab":
        ear.start(host)
    for host in "ab":
        wait_until(
            lambda one=host: len(ear.lab.addresses(one) & {"10.0.0.101", "10.0.1.101"}) == 2, 15, f"{host} holds"
        )
    time.sleep(4.5)
    heard = ear.heard()
    a, b = bursts(heard["a0"]), bursts(heard["b0"])
    assert [words for _, words in a] == [["101", "102"] * 3, ["101", "102"] * 3, ["101", "102"] * 2, ["101", "102"] * 2]
    assert [words for _, words in b] == [words for _, words in a]
    for (mine, _), (theirs, _), expected in zip(a, b, (0, 1, 2, 4), strict=True):
        assert abs(mine - expected) < 0.5
        assert abs(mine - theirs) < 0.9
    # keepalived 2.2.7 keeps the distance too, but loses most of what has to wait.
    assert [what.split()[0] for _, what in heard["a1"]] == ["10.0.1.101", "10.0.1.102"] * 4
    for lan in ("a1", "b1"):
        gaps = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(heard[lan])]
        assert min(gaps) > 0.19, (lan, gaps)
        assert max(gaps) < 1, (lan, gaps)


@pytest.mark.behaviour("NET-20", "NET-25", "FSM-47")
def test_neighbours_are_told_of_a_new_hardware_address_and_after_a_cut_and_by_masters_only(ear: Ear) -> None:
    """eth0: another MAC under a master. eth1: a router that does not follow its interface, with a limit that lasts."""
    text = CONFIG.replace("garp_master_refresh 2", "garp_master_refresh 0").replace(
        "garp_master_repeat 4", "garp_master_repeat 4\n    dont_track_primary"
    )
    ear.start("a", text)
    wait_until(lambda: len(ear.lab.addresses("a") & {"10.0.0.101", "10.0.1.101"}) == 2, 15, "a holds")
    log = ear.folder / "a.log"
    parent = next(line["pid"] for line in log_lines(log) if line["event"] == "daemon_started")
    (ear.folder / "a.conf").write_text(text.replace("virtual_router_id 52", "virtual_router_id 53"))
    os.kill(int(parent), signal.SIGHUP)  # the old B is gone, and most of its first burst was still to come
    wait_until(lambda: "configuration_applied" in log.read_text(), 5, "reloaded")
    [applied] = [line for line in log_lines(log) if line["event"] == "configuration_applied"]
    reloaded = datetime.datetime.fromisoformat(applied["time"]).timestamp()
    time.sleep(3.2)  # the burst of the new B is over too
    mac = "02:00:00:00:00:77"
    ear.lab.run("a", "ip", "link", "set", "eth0", "address", mac)
    ear.lab.cut("a", "eth1")
    time.sleep(0.3)
    mended = time.time()
    ear.lab.mend("a", "eth1")
    time.sleep(4.5)  # the kernel speaks of a link at most once a second
    heard = ear.heard()
    assert '"new": "FAULT"' not in log.read_text()
    assert [what for _, what in heard["a0"] if mac in what] == [f"10.0.0.101 {mac}", f"10.0.0.102 {mac}"] * 3
    times = [at for at, _ in heard["a1"]]
    assert [at for at in times if at < reloaded]
    assert not [at for at in times if reloaded < at < reloaded + 0.3]
    told = {what.split()[0] for at, what in heard["a1"] if mended < at}
    assert told == {"10.0.1.101", "10.0.1.102"}  # the switch may not forward yet when the first of them leave
