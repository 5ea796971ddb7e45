"""Unicast in a VRF, without an interface: the running kernel of most machines here has no VRF.

keepalived 2.2.7 reads `vrf` and then asks for an interface all the same, so the peer names its own, which is in it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, log_lines, wait_until

pytestmark = pytest.mark.vm

PYHAD = os.environ.get("PYHAD_UNDER_TEST", str(Path(sys.executable).with_name("pyhad")))
VIP = "10.0.0.100"
TEXT = """
vrrp_instance A {{
    {where}
    virtual_router_id 51
    priority {priority}
    advert_int 0.5
    version 3
    unicast_src_ip {source}
    unicast_peer {{
        {peer}
    }}
    virtual_ipaddress {{
        10.0.0.100/24 dev eth0
    }}
}}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two directors whose eth0 is in the VRF `red`, and another wire of the same addresses that is in none."""
    with Lab() as made:
        for number, host in enumerate(("a", "b"), start=1):
            made.wire(host, "eth0", "lan")
            made.wire(host, "eth1", "other", f"10.0.0.{number}/24")
            made.run(host, "ip", "link", "add", "red", "type", "vrf", "table", "10")
            made.run(host, "ip", "link", "set", "red", "up")
            made.run(host, "ip", "link", "set", "eth0", "master", "red")
            made.run(host, "ip", "address", "add", f"10.0.0.{number}/24", "dev", "eth0")
        yield made


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Open to the processes without rights too."""
    with tempfile.TemporaryDirectory(prefix="pyhad-test.") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        for log in Path(name).glob("*.log"):
            print("\n".join(log.read_text().splitlines()[-30:]))


def start(lab: Lab, folder: Path, host: str, daemon: str, priority: int) -> Running:
    path = folder / f"{host}.conf"
    ours, theirs = ("10.0.0.1", "10.0.0.2") if host == "a" else ("10.0.0.2", "10.0.0.1")
    where = "vrf red" if daemon == "pyhad" else "interface eth0"
    path.write_text(TEXT.format(where=where, priority=priority, source=ours, peer=theirs))
    path.chmod(0o644)
    files = [word for option in "prc" for word in (f"-{option}", str(folder / f"{host}.{option}.pid"))]
    command = ["keepalived", "-n", "-l", "-D", "-f", str(path), *files]
    if daemon == "pyhad":
        command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(folder / f"{host}.run")]
    return lab.start(host, *command, log=folder / f"{host}.log")


def changes(folder: Path, host: str) -> list[tuple[str, str]]:
    lines = log_lines(folder / f"{host}.log")
    return [(line["new"], line["reason"]) for line in lines if line["event"] == "state_changed"]


@pytest.mark.behaviour("FIX-16", "PKT-8")
def test_a_router_in_a_vrf_elects_with_its_peer_there(lab: Lab, folder: Path) -> None:
    holders = lambda: lab.holders(VIP, ("a", "b"))  # noqa: E731
    peer = start(lab, folder, "b", "keepalived", 100)
    wait_until(lambda: holders() == ["b"], 60, "keepalived leads", every_s=0.3)
    daemon = start(lab, folder, "a", "pyhad", 150)
    wait_until(lambda: holders() == ["a"], 60, "pyhad leads", every_s=0.3)
    lab.run("a", "ip", "link", "set", "red", "down")
    wait_until(lambda: changes(folder, "a")[-1] == ("FAULT", "fault"), 30, "the VRF is followed", every_s=0.3)
    wait_until(lambda: holders() == ["b"], 60, "keepalived leads again", every_s=0.3)
    lab.run("a", "ip", "link", "set", "red", "up")
    wait_until(lambda: holders() == ["a"], 60, "pyhad leads once more", every_s=0.3)
    daemon.stop()
    wait_until(lambda: holders() == ["b"], 60, "the farewell is heard", every_s=0.3)
    peer.stop()
