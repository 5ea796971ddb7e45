"""What pyhad puts on the wire, as tshark decodes it; and what it makes of rubbish and of changes under its feet."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, log_lines, wait_until
from tests.lab.test_vrrp_interop import PYHAD, V2, V3, VIP, Setting
from tests.lab.test_vrrp_kernel import inside

pytestmark = pytest.mark.lab
FLOOD_BYTES = 10_000_000


class Node:
    """Host n with pyhad, and host peer beside it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        lab.wire("n", "eth0", "lan", "10.0.0.1/24")
        lab.wire("peer", "eth0", "lan", "10.0.0.2/24")

    def start(self, setting: Setting, priority: int) -> Running:
        path = self.folder / "n.conf"
        path.write_text(setting.text(priority))
        path.chmod(0o644)
        command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(self.folder / "run")]
        return self.lab.start("n", *command, log=self.folder / "n.log")

    def holds(self) -> bool:
        return VIP in self.lab.addresses("n")

    def wait_master(self, timeout_s: float = 6) -> None:
        wait_until(self.holds, timeout_s, f"n holds {VIP}")

    def logged(self, event: str) -> list[dict[str, object]]:
        return [line for line in log_lines(self.folder / "n.log") if line.get("event") == event]


@pytest.fixture
def node(lab: Lab, open_folder: Path) -> Node:
    """Nothing runs yet."""
    return Node(lab, open_folder)


def decode(capture: Path, shown: str, fields: list[str]) -> list[list[str]]:
    """What tshark makes of `capture`: one row of `fields` for each frame that `shown` selects."""
    options = ["-o", "ip.check_checksum:TRUE", "-o", "vrrp.v3_checksum_as_in_v2:FALSE", "-Y", shown, "-T", "fields"]
    command = ["tshark", "-n", "-r", str(capture), *options, *(word for field in fields for word in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.parametrize("setting", [V2, V3], ids=["v2", "v3"])
@pytest.mark.behaviour("PKT-1")
@pytest.mark.behaviour("PKT-2")
@pytest.mark.behaviour("PKT-3")
@pytest.mark.behaviour("FSM-30")
@pytest.mark.behaviour("NET-20")
def test_every_packet_that_leaves_is_well_formed(node: Node, setting: Setting) -> None:
    capture = node.folder / "wire.pcap"
    sniffer = node.lab.start(
        "peer", "dumpcap", "-q", "-P", "-i", "eth0", "-f", "ip proto 112 or arp", "-w", str(capture),
        log=node.folder / "dumpcap.log",
    )  # fmt: skip
    wait_until(lambda: capture.exists() and capture.stat().st_size >= 24, 60, "dumpcap listens")
    time.sleep(0.3)
    daemon = node.start(setting, 200)
    node.wait_master()
    time.sleep(2.2 * setting.interval_s + 0.2)
    daemon.stop()
    time.sleep(1)  # dumpcap has read the farewell
    sniffer.stop()

    assert decode(capture, "_ws.malformed or _ws.expert.severity == error", ["frame.number"]) == []
    fields = ["vrrp.checksum.status", "ip.checksum.status", "ip.ttl", "ip.dsfield", "ip.dst", "ip.src", "eth.dst"]
    adverts = decode(capture, "vrrp", fields)
    assert len(adverts) >= 4
    assert {tuple(row) for row in adverts} == {
        ("1", "1", "255", "0xc0", "224.0.0.18", "10.0.0.1", "01:00:5e:00:00:12"),
    }
    about = decode(capture, "vrrp", ["ip.id", "vrrp.version", "vrrp.virt_rtr_id", "vrrp.prio", "vrrp.ip_addr"])
    assert [int(row[0], 16) for row in about] == list(range(1, len(about) + 1))
    assert {tuple(row[1:]) for row in about[:-1]} == {(str(setting.version), "51", "200", VIP)}
    assert about[-1][3] == "0", "the last one releases"
    if setting is V3:
        assert len(decode(capture, "vrrp.short_adver_int == 20", ["frame.number"])) == len(adverts)

    announced = ["eth.dst", "arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4", "arp.dst.hw_mac"]
    rounds = decode(capture, "arp.isgratuitous == 1", announced)
    assert len(rounds) >= 5
    assert {tuple(row) for row in rounds} == {("ff:ff:ff:ff:ff:ff", "1", VIP, VIP, "ff:ff:ff:ff:ff:ff")}
    first = [decode(capture, what, ["frame.number"])[0][0] for what in ("vrrp", "arp.isgratuitous == 1")]
    assert int(first[0]) < int(first[1]), "the advert leaves first"


GOOD_V3 = bytes.fromhex("31336401 000a 0000 0a000064")
"""VRID 51, priority 100, 0.1 s, 10.0.0.100; the checksum is not filled in, so not even this one is right."""


def rubbish(seed: int) -> list[bytes]:
    """10 MB for VRID 51: random bytes, cut adverts, adverts with one bit flipped."""
    chance = random.Random(seed)
    made: list[bytes] = []
    size = 0
    while size < FLOOD_BYTES:
        kind = chance.randrange(10)
        if kind < 7:
            payload = bytearray(chance.randbytes(chance.randrange(2, 1480)))
        elif kind == 7:
            payload = bytearray(GOOD_V3[: chance.randrange(len(GOOD_V3))])
        elif kind == 8:
            payload = bytearray(GOOD_V3)
            payload[chance.randrange(len(payload))] ^= 1 << chance.randrange(8)
        else:
            payload = bytearray(chance.randbytes(chance.randrange(1500, 9000)))  # arrives in fragments
        if len(payload) > 1:
            payload[1] = 51
        made.append(bytes(payload))
        size += len(payload)
    return made


def flood(packets: list[bytes]) -> None:
    """Send to the group, a little at a time: what the kernel drops on its way cannot be counted by anyone above it."""
    import socket

    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
    sock.setsockopt(
        socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.0.0.2") + socket.inet_aton("10.0.0.2")
    )
    for place, packet in enumerate(packets):
        sock.sendto(packet, ("224.0.0.18", 0))
        if place % 25 == 24:
            time.sleep(0.005)


REFUSALS = {
    "packet_len_err", "ip_ttl_err", "version_err", "invalid_authtype", "authtype_mismatch", "advert_interval_err",
    "invalid_type_rcvd", "checksum_err", "destination_err",
}  # fmt: skip


@pytest.mark.behaviour("PKT-23")
@pytest.mark.behaviour("PKT-31")
@pytest.mark.timeout(120)
def test_ten_megabytes_of_rubbish_are_counted_and_change_nothing(node: Node) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    packets = rubbish(seed)
    daemon = node.start(V3, 200)
    node.wait_master()
    inside(node.lab, "peer", lambda: flood(packets))
    # A busy machine may not read as fast as the other end sends, and the kernel drops a few.
    enough = len(packets) * 95 // 100
    wait_until(lambda: counted(node)[0] >= enough, 10, f"{enough} are counted: {counted(node)}", 0.2)
    refused, accepted = counted(node)
    assert (refused <= len(packets), accepted) == (True, 0)
    assert daemon.alive
    assert node.holds()
    assert [line["new"] for line in node.logged("state_changed")] == ["BACKUP", "MASTER"]
    assert len(node.logged("advert_refused")) < 100, "said once per kind, not per packet"


def counted(node: Node) -> tuple[int, int]:
    """(adverts refused, adverts accepted) as pyhadctl tells."""
    pyhadctl = str(Path(sys.executable).with_name("pyhadctl"))
    text = node.lab.run("n", pyhadctl, "--run-dir", str(node.folder / "run"), "status", "--json", check=False)
    vrrp = json.loads(text)["vrrp"]
    counters = [vrrp["counters"], *(router["counters"] for router in vrrp["routers"])]
    refused = sum(number for each in counters for name, number in each.items() if name in REFUSALS)
    return refused, sum(router["counters"]["advert_rcvd"] for router in vrrp["routers"])


@pytest.mark.behaviour("FSM-40")
@pytest.mark.behaviour("FSM-48")
def test_a_router_follows_its_interface_through_loss_rename_and_return(node: Node) -> None:
    node.start(V3, 200)
    node.wait_master()
    node.lab.run("n", "ip", "link", "set", "eth0", "down")
    wait_until(lambda: not node.holds(), 1, "the address goes with the link")
    node.lab.run("n", "ip", "link", "set", "eth0", "up")
    node.wait_master(2)
    node.lab.run("n", "ip", "addr", "del", "10.0.0.1/24", "dev", "eth0")
    wait_until(lambda: not node.holds(), 1, "without a source address no router")
    node.lab.run("n", "ip", "addr", "add", "10.0.0.7/24", "dev", "eth0")
    node.wait_master(2)
    for name in ("lan0", "eth0"):
        old = "eth0" if name == "lan0" else "lan0"
        node.lab.run("n", "sh", "-c", f"ip link set {old} down; ip link set {old} name {name}; ip link set {name} up")
        if name == "lan0":
            wait_until(lambda: not node.holds(), 1, "an interface of another name is not its interface")
    node.lab.run("n", "sh", "-c", "ip addr add 10.0.0.7/24 dev eth0 || true")
    node.wait_master(2)
    log = node.folder / "n.log"
    before = len(log.read_text())
    node.lab.run("n", "ip", "link", "del", "eth0")
    wait_until(lambda: "interface_missing" in log.read_text()[before:], 1, "it is missed")
    wait_until(lambda: node.logged("state_changed")[-1]["new"] == "FAULT", 1, "it is a fault")
    node.lab.wire("n", "eth0", "lan", "10.0.0.1/24")
    node.wait_master(2)


@pytest.mark.behaviour("FSM-37")
def test_an_address_that_somebody_takes_away_comes_back(node: Node) -> None:
    node.start(V3, 200)
    node.wait_master()
    node.lab.run("n", "ip", "addr", "del", f"{VIP}/32", "dev", "eth0")
    node.wait_master(2)


@pytest.mark.behaviour("FSM-14")
def test_a_left_over_address_goes_when_the_router_begins_as_backup(node: Node) -> None:
    node.lab.run("n", "ip", "addr", "add", f"{VIP}/32", "dev", "eth0")
    node.start(V2, 1)  # four seconds as BACKUP
    wait_until(lambda: not node.holds(), 8, "the left-over is gone")
    node.wait_master()
