"""`pyhadctl capture` beside a real keepalived, and `decode` of what it kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until

pytestmark = pytest.mark.lab
CTL = str(Path(sys.executable).with_name("pyhadctl"))
NODE = """vrrp_instance VI_1 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int {interval}
    virtual_ipaddress {{ 10.0.0.100 }}
}}
{more}
"""
SIX = """vrrp_instance VI_6 {
    interface eth0
    virtual_router_id 61
    version 3
    advert_int 0.5
    priority 120
    virtual_ipaddress { fe80::61\n fd00::100/64 }
}
"""


def test_a_peer_with_another_interval_is_seen_and_named(lab: Lab, open_folder: Path) -> None:
    lab.wire("a", "eth0", "lan", "10.0.0.1/24")
    lab.wire("b", "eth0", "lan", "10.0.0.2/24")
    theirs, ours, kept = open_folder / "a.conf", open_folder / "b.conf", open_folder / "heard.pcap"
    theirs.write_text(NODE.format(priority=150, interval=1, more=SIX))
    ours.write_text(NODE.format(priority=100, interval=2, more=""))
    pids = [word for option in "prc" for word in (f"-{option}", str(open_folder / f"{option}.pid"))]
    lab.start("a", "keepalived", "-n", "-l", "-D", "-f", str(theirs), *pids, log=open_folder / "log")
    heard = open_folder / "log"
    wait_until(lambda: heard.read_text().count("Entering BACKUP") == 2, 20, "both routers of keepalived have begun")

    capture = [CTL, "capture", "eth0", "-s", "8", "-f", str(ours), "-w", str(kept)]
    done = subprocess.run(lab.argv("b", *capture), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "10.0.0.1 -> 224.0.0.18: VRID 51 version 2 priority 150, every 1 s, addresses 10.0.0.100" in done.stdout
    assert "! 10.0.0.1 sends advert_int 1, ours ('VI_1') is 2: we drop it, both may be master" in done.stdout
    assert "gratuitous ARP: 10.0.0.100 is at " in done.stdout
    assert "VRID 61 version 3 priority 120, every 0.5 s, addresses fe80::61 fd00::100" in done.stdout
    assert "unsolicited NA: fd00::100 is at " in done.stdout
    assert "checksum" not in done.stdout

    decoded = subprocess.run(
        [CTL, "decode", "-j", "-f", str(ours), str(kept)], capture_output=True, text=True, timeout=60
    )
    rows = [json.loads(line) for line in decoded.stdout.splitlines()]
    adverts = [row for row in rows if row["kind"] == "advert"]
    assert {row["vrid"] for row in adverts} == {51, 61}
    assert all(row["faults"] == [] for row in adverts)
    assert decoded.returncode == 1
    at_home = subprocess.run(lab.argv("a", CTL, "decode", "-f", str(theirs), str(kept)), capture_output=True, text=True)
    assert (at_home.returncode, at_home.stdout.count("!")) == (0, 0), "nobody disagrees with himself, by IPv6 neither"


def test_what_cannot_be_read_is_a_sentence(open_folder: Path) -> None:
    path = open_folder / "no.pcap"
    path.write_text("this is no packet file")
    done = subprocess.run([CTL, "decode", "-f", "/nonexistent", str(path)], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
