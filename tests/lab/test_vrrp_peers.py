"""pyhad beside the real keepalived with everything that is not plain IPv4 multicast: passwords, unicast, IPv6.

In every combination each of the two is once the master and once the backup. The kernel's notifications say when the
address came and went; tshark judges what pyhad put on the wire.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.lab.net import PATIENCE_S, Lab, Running, log_lines, wait_until
from tests.lab.test_vrrp_interop import BUSY_S, PYHAD

pytestmark = pytest.mark.lab
ADDRESSES = {"a": ("10.0.0.1", "fd00::1"), "b": ("10.0.0.2", "fd00::2")}
OTHER = {"a": "b", "b": "a"}
VIP = {4: "10.0.0.100", 6: "fd00::100"}


@dataclass(frozen=True)
class Way:
    """How two nodes talk to each other."""

    family: int
    version: int
    interval_s: float
    words: str = ""
    unicast: bool = False
    peer_words: str = ""

    def text(self, host: str, priority: int) -> str:
        own, other = ADDRESSES[host][self.family == 6], ADDRESSES[OTHER[host]][self.family == 6]
        unicast = f"unicast_src_ip {own}\n    unicast_peer {{\n        {other} {self.peer_words}\n    }}"
        # Keepalived says a word about the first IPv6 address if that is not link-local; it goes on.
        return f"""
global_defs {{
    router_id lab
    vrrp_garp_master_delay 1
}}
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int {self.interval_s:g}
    version {self.version}
    {self.words}
    {unicast if self.unicast else ""}
    virtual_ipaddress {{
        {"fe80::100" if self.family == 6 else ""}
        {VIP[self.family]}
    }}
}}
"""

    def skew_s(self, priority: int) -> float:
        return (256 - priority) / 256 * (1 if self.version == 2 else self.interval_s)


PASS = "authentication {\n        auth_type PASS\n        auth_pass sesame01\n    }"
WAYS = {
    "v2-ah": Way(family=4, version=2, interval_s=1, words=PASS.replace("PASS", "AH")),
    "v2-pass": Way(family=4, version=2, interval_s=1, words=PASS),
    "v2-unicast": Way(family=4, version=2, interval_s=1, unicast=True),
    "v3-unicast": Way(family=4, version=3, interval_s=0.2, unicast=True, peer_words="min_ttl 254"),
    "v3-ipv6": Way(family=6, version=3, interval_s=0.2),
    "v3-ipv6-unicast": Way(family=6, version=3, interval_s=0.2, unicast=True),
    "v2-ipv6": Way(family=6, version=2, interval_s=1),
}


class Pair:
    """Hosts a and b on one LAN, with room for a daemon on each, and a listener on b."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.daemons: dict[str, Running] = {}
        for part in (folder, *list(folder.parents)[:3]):
            if "pytest" in str(part):
                part.chmod(0o755)
        for host, (ipv4, ipv6) in ADDRESSES.items():
            lab.wire(host, "eth0", "lan", f"{ipv4}/24", f"{ipv6}/64")
        # keepalived sends from an address that is still tentative, in vain; pyhad waits (FSM-43).
        wait_until(lambda: all(map(self._is_settled, ADDRESSES)), 5, "both are sure of their link-local addresses")

    def _is_settled(self, host: str) -> bool:
        shown = self.lab.run(host, "ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "link")
        return "fe80" in shown and "tentative" not in shown

    def start(self, host: str, daemon: str, way: Way, priority: int) -> None:
        """Start a daemon and wait until it listens as BACKUP."""
        self.run_text(host, daemon, way.text(host, priority))

    def run_text(self, host: str, daemon: str, text: str) -> None:
        """The same with a whole file."""
        path = self.folder / f"{host}.conf"
        path.write_text(text)
        path.chmod(0o644)
        if daemon == "pyhad":
            command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(self.folder / f"{host}.run")]
        else:
            files = [word for option in "prc" for word in (f"-{option}", str(self.folder / f"{host}.{option}.pid"))]
            command = ["keepalived", "-n", "-l", "-D", "-f", str(path), *files]
        log = self.log_of(host)
        known = log.read_text().count("BACKUP") if log.exists() else 0
        self.daemons[host] = self.lab.start(host, *command, log=log)
        wait_until(lambda: log.read_text().count("BACKUP") > known, 60, f"{daemon} on {host} listens")

    def log_of(self, host: str) -> Path:
        return self.folder / f"{host}.log"

    def events(self, host: str, event: str) -> list[dict[str, object]]:
        return [line for line in log_lines(self.log_of(host)) if line.get("event") == event]

    def status(self, host: str) -> dict[str, int]:
        """pyhad's counters of VI_1."""
        text = self.lab.run(
            host, str(Path(PYHAD).with_name("pyhadctl")), "--run-dir", str(self.folder / f"{host}.run"), "status", "-j",
            check=False,
        )  # fmt: skip
        found = re.search(r'"counters":\s*(\{[^}]*"advert_rcvd"[^}]*\})', text)
        assert found, text
        counters: dict[str, int] = json.loads(found.group(1))
        return counters

    def holders(self, way: Way) -> list[str]:
        return self.lab.holders(VIP[way.family], ADDRESSES)

    def wait_for(self, way: Way, hosts: list[str], timeout_s: float = 12) -> float:
        return wait_until(lambda: self.holders(way) == hosts, timeout_s, f"{hosts} hold {VIP[way.family]}")

    def sniff(self) -> tuple[Running, Path]:
        """A capture on b of what concerns VRRP."""
        capture = self.folder / "wire.pcap"
        what = "proto 112 or ip6 proto 112 or icmp6 or arp"
        sniffer = self.lab.start(
            "b", "dumpcap", "-q", "-P", "-i", "eth0", "-f", what, "-w", str(capture),
            log=self.folder / "dumpcap.log",
        )  # fmt: skip
        wait_until(lambda: capture.exists() and capture.stat().st_size >= 24, 60, "dumpcap listens")
        time.sleep(0.3)
        return sniffer, capture


@pytest.fixture
def pair(lab: Lab, tmp_path: Path) -> Pair:
    """Nothing runs yet."""
    return Pair(lab, tmp_path)


def decode(capture: Path, shown: str, *fields: str) -> list[tuple[str, ...]]:
    options = ["-o", "ip.check_checksum:TRUE", "-o", "vrrp.v3_checksum_as_in_v2:FALSE", "-Y", shown, "-T", "fields"]
    command = ["tshark", "-n", "-r", str(capture), *options, *(word for field in fields for word in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [tuple(line.split("\t")) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("master", "backup"), [("pyhad", "keepalived"), ("keepalived", "pyhad")])
@pytest.mark.behaviour("PKT-8")
@pytest.mark.behaviour("PKT-36")
@pytest.mark.behaviour("AUTH-2")
@pytest.mark.behaviour("AUTH-3")
@pytest.mark.behaviour("FSM-43")
def test_the_two_agree_who_is_master(pair: Pair, way: Way, master: str, backup: str) -> None:
    pair.start("a", master, way, 150)
    pair.start("b", backup, way, 100)
    pair.wait_for(way, ["a"])
    time.sleep(4 * way.interval_s + way.skew_s(100))
    assert pair.holders(way) == ["a"], "nobody took over from a living master"
    pair.daemons["a"].signal(signal.SIGTERM)
    took_s = wait_until(lambda: "b" in pair.holders(way), 12, "b has taken over")
    pair.wait_for(way, ["b"])
    down_s = 3 * way.interval_s + way.skew_s(100)
    if way.version == 2:
        assert took_s < down_s - way.interval_s, "orderly stop: it does not wait in vain"
    else:  # a busy machine may take longer than the whole down interval
        assert took_s < way.skew_s(100) + 3 * BUSY_S, "orderly stop: soon, perhaps only when it hears nothing more"
    pair.daemons["a"].wait(PATIENCE_S)
    pair.start("a", master, way, 150)
    pair.wait_for(way, ["a"])
    pair.lab.cut("a", "eth0")
    pair.wait_for(way, ["b"])
    pair.lab.mend("a", "eth0")
    pair.wait_for(way, ["a"], 15)


@pytest.mark.parametrize("wrong", ["auth_pass sesame02", "auth_pass sesame"])
@pytest.mark.behaviour("PKT-27")
@pytest.mark.behaviour("AUTH-2")
def test_a_wrong_password_is_refused_and_counted(pair: Pair, wrong: str) -> None:
    way = WAYS["v2-pass"]
    pair.start("a", "keepalived", replace(way, words=PASS.replace("auth_pass sesame01", wrong)), 150)
    pair.start("b", "pyhad", way, 100)
    pair.wait_for(way, ["a", "b"])
    # A keepalived that hears wrong passwords as a master sends nothing while it does: few are there to be counted.
    counters = pair.status("b")
    assert counters["auth_failure"] >= 1
    assert counters["advert_rcvd"] == 0
    wait_until(lambda: pair.events("b", "advert_refused"), 5, "the log says so")
    refused = pair.events("b", "advert_refused")
    assert {line["reason"] for line in refused} == {"auth_failure"}
    assert len(refused) <= 2, "said once per state, not per packet"
    for path in pair.folder.rglob("*"):
        if path.is_file() and path.suffix != ".conf" and not path.name.startswith("a."):
            assert b"sesame" not in path.read_bytes(), path


@pytest.mark.parametrize("name", ["v3-ipv6", "v3-ipv6-unicast", "v3-unicast"])
@pytest.mark.behaviour("PKT-1")
@pytest.mark.behaviour("NET-21")
def test_every_packet_that_leaves_is_well_formed(pair: Pair, name: str) -> None:
    way = WAYS[name]
    sniffer, capture = pair.sniff()
    pair.start("a", "pyhad", way, 200)
    pair.wait_for(way, ["a"])
    time.sleep(2.2 * way.interval_s + 0.2)
    pair.daemons["a"].stop()
    time.sleep(1)  # dumpcap has read the farewell
    sniffer.stop()
    assert decode(capture, "_ws.malformed or _ws.expert.severity == error", "frame.number") == []
    wanted = "vrrp.checksum.status"
    if way.family == 4:
        adverts = decode(capture, "vrrp and not icmp", wanted, "ip.ttl", "ip.dsfield", "ip.src", "ip.dst")
        assert set(adverts) == {("1", "255", "0xc0", "10.0.0.1", "10.0.0.2")}
        return
    adverts = decode(capture, "vrrp and not icmpv6", wanted, "ipv6.hlim", "ipv6.tclass", "ipv6.dst", "vrrp.ipv6_addr")
    target, hops = ("fd00::2", "64") if way.unicast else ("ff02::12", "255")
    assert set(adverts) == {("1", hops, "0x000000c0", target, "fe80::100,fd00::100")}
    sources = {row[0] for row in decode(capture, "vrrp and not icmpv6", "ipv6.src")}
    assert sources == {"fd00::1"} if way.unicast else all(source.startswith("fe80::") for source in sources)
    shown = ["icmpv6.nd.na.flag.r", "icmpv6.nd.na.flag.s", "icmpv6.nd.na.flag.o", "ipv6.dst", "eth.dst", "ipv6.hlim"]
    about = f"icmpv6.type == 136 and icmpv6.nd.na.target_address == {VIP[6]} and ipv6.src == {VIP[6]}"
    announced = decode(capture, about, *shown, "icmpv6.checksum.status")
    assert len(announced) >= 5
    assert set(announced) == {("0", "0", "1", "ff02::1", "33:33:00:00:00:01", "255", "1")}


@pytest.mark.behaviour("NET-1")
def test_an_ipv6_address_needs_no_duplicate_address_detection(pair: Pair) -> None:
    way = WAYS["v3-ipv6"]
    pair.start("a", "pyhad", way, 200)
    pair.wait_for(way, ["a"])
    shown = pair.lab.run("a", "ip", "-6", "-o", "addr", "show", "dev", "eth0", "to", VIP[6])
    assert "nodad" in shown
    assert "deprecated" in shown
    assert "tentative" not in shown


@pytest.mark.behaviour("PKT-36")
def test_a_stranger_is_not_listened_to(pair: Pair) -> None:
    way = replace(WAYS["v3-unicast"], words="check_unicast_src")
    strange = replace(way, unicast=True)
    pair.lab.run("a", "ip", "addr", "add", "10.0.0.77/24", "dev", "eth0")
    pair.start("b", "pyhad", way, 100)
    path = pair.folder / "a.conf"
    text = strange.text("a", 150).replace("unicast_src_ip 10.0.0.1", "unicast_src_ip 10.0.0.77")
    path.write_text(text)
    files = [word for option in "prc" for word in (f"-{option}", str(pair.folder / f"a.{option}.pid"))]
    pair.lab.start("a", "keepalived", "-n", "-l", "-D", "-f", str(path), *files, log=pair.log_of("a"))
    pair.wait_for(way, ["a", "b"])
    assert pair.status("b")["unknown_peer"] >= 1


@pytest.mark.behaviour("FSM-40")
def test_a_tracked_source_address_that_goes_away_is_a_fault(pair: Pair) -> None:
    pair.lab.run("a", "ip", "addr", "add", "10.0.0.77/24", "dev", "eth0")
    way = Way(family=4, version=3, interval_s=0.2, words="mcast_src_ip 10.0.0.77\n    track_src_ip")
    pair.start("a", "pyhad", way, 150)
    pair.wait_for(way, ["a"])
    pair.lab.run("a", "ip", "addr", "del", "10.0.0.77/24", "dev", "eth0")
    pair.wait_for(way, [])
    detail = lambda: pair.events("a", "state_changed")[-1]["detail"]  # noqa: E731
    wait_until(lambda: detail() == "no_source_address", 5, "the log says why")
    pair.lab.run("a", "ip", "addr", "add", "10.0.0.77/24", "dev", "eth0")
    pair.wait_for(way, ["a"])


@pytest.mark.behaviour("FSM-15")
def test_both_families_and_several_unicast_routers_share_an_interface_and_a_vrid(pair: Pair) -> None:
    ways = {"VI_4": Way(family=4, version=3, interval_s=0.2), "VI_6": Way(family=6, version=3, interval_s=0.2)}
    words = {host: "".join(_named(way, name, host) for name, way in ways.items()) for host in ADDRESSES}
    unicast = {"10.0.0.201": "10.0.0.2", "10.0.0.202": "10.0.0.3"}
    pair.lab.run("b", "ip", "addr", "add", "10.0.0.3/24", "dev", "eth0")
    for number, (vip, other) in enumerate(unicast.items()):
        for host, own, peer in (("a", f"10.0.0.1{number + 1}", other), ("b", other, f"10.0.0.1{number + 1}")):
            if host == "a":
                pair.lab.run("a", "ip", "addr", "add", f"{own}/24", "dev", "eth0")
            way = Way(family=4, version=3, interval_s=0.2, words=f"unicast_src_ip {own}\nunicast_peer {{ {peer} }}")
            words[host] += _named(way, f"U{number}", host).replace(VIP[4], vip)
    for host, daemon in (("a", "pyhad"), ("b", "keepalived")):
        pair.run_text(host, daemon, words[host])
    everything = [*VIP.values(), *unicast]
    wait_until(lambda: all(pair.lab.holders(vip, ADDRESSES) == ["a"] for vip in everything), 12, "a holds all")
    time.sleep(1)
    assert [pair.lab.holders(vip, ADDRESSES) for vip in everything] == [["a"]] * 4
    pair.daemons["a"].stop()
    wait_until(lambda: all(pair.lab.holders(vip, ADDRESSES) == ["b"] for vip in everything), 5, "b holds all")


def _named(way: Way, name: str, host: str) -> str:
    """One instance of the text without the globals."""
    text = way.text(host, 150 if host == "a" else 100)
    return text[text.index("vrrp_instance") :].replace("VI_1", name)


@pytest.mark.parametrize("name", ["v2-ah", "v2-pass", "v3-unicast", "v3-ipv6"])
@pytest.mark.behaviour("AUTH-3")
def test_no_peer_notices_the_death_of_the_vrrp_process(pair: Pair, name: str) -> None:
    way = replace(WAYS[name], interval_s=max(WAYS[name].interval_s, 0.3))
    pair.start("a", "pyhad", way, 150)
    pair.start("b", "keepalived", way, 100)
    pair.wait_for(way, ["a"])
    time.sleep(2 * way.interval_s)
    child = next(line for line in pair.events("a", "child_started") if line["child"] == "vrrp")
    os.kill(int(str(child["child_pid"])), signal.SIGKILL)
    time.sleep(5 * way.interval_s)
    assert pair.holders(way) == ["a"]
    assert "Entering MASTER STATE" not in pair.log_of("b").read_text()
    reason = lambda: pair.events("a", "state_changed")[-1]["reason"]  # noqa: E731
    wait_until(lambda: reason() == "resumed_after_restart", 5, "the log says so")


@pytest.mark.behaviour("REL-12")
def test_a_reload_brings_a_password_and_another_peer_without_a_change_of_master(pair: Pair) -> None:
    way = replace(WAYS["v2-unicast"], words=PASS)
    plain = WAYS["v2-unicast"]
    pair.start("a", "pyhad", plain, 150)
    pair.wait_for(plain, ["a"])
    path = pair.folder / "a.conf"
    path.write_text(way.text("a", 150).replace("10.0.0.2", "10.0.0.3\n        10.0.0.2"))
    pair.daemons["a"].signal(signal.SIGHUP)
    wait_until(lambda: pair.events("a", "configuration_applied"), 5, "the reload is applied")
    pair.start("b", "keepalived", way, 100)
    time.sleep(5)
    assert pair.holders(way) == ["a"]
    assert "Entering MASTER STATE" not in pair.log_of("b").read_text()
    assert [line["new"] for line in pair.events("a", "state_changed")] == ["BACKUP", "MASTER"]


HMAC = "auth_hmac {\n        key 1 correct-horse-battery-staple-and-more\n    }"


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("unicast", [False, True])
@pytest.mark.behaviour("AUTH-4")
def test_two_that_sign_agree_and_nobody_notices_a_restart(pair: Pair, family: int, unicast: bool) -> None:
    way = Way(family=family, version=3, interval_s=0.3, words=HMAC, unicast=unicast)
    pair.start("a", "pyhad", way, 150)
    pair.start("b", "pyhad", way, 100)
    pair.wait_for(way, ["a"])
    child = next(line for line in pair.events("a", "child_started") if line["child"] == "vrrp")
    os.kill(int(str(child["child_pid"])), signal.SIGKILL)
    time.sleep(1)
    assert pair.holders(way) == ["a"]
    assert [line["new"] for line in pair.events("b", "state_changed")] == ["BACKUP"]
    pair.daemons["a"].stop()
    pair.wait_for(way, ["b"], 3)
    assert b"correct-horse" not in b"".join(pair.log_of(host).read_bytes() for host in ADDRESSES)


@pytest.mark.behaviour("AUTH-8")
def test_receive_only_goes_on_beside_one_that_does_not_sign_and_enforce_does_not(pair: Pair) -> None:
    plain = Way(family=4, version=3, interval_s=0.2)
    learning = replace(plain, words=HMAC.replace("}", "    mode receive-only\n    }"))
    pair.start("a", "pyhad", learning, 150)
    pair.start("b", "keepalived", plain, 100)
    pair.wait_for(plain, ["a"])
    pair.daemons["a"].stop()
    pair.wait_for(plain, ["b"], 3)
    pair.start("a", "pyhad", replace(plain, words=HMAC), 50)
    pair.wait_for(plain, ["a", "b"])
    assert pair.status("a")["hmac_unsigned"] >= 1
