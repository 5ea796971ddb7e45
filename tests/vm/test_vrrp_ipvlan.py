"""Virtual routers on an ipvlan, beside the real keepalived: the running kernel of most machines here has no ipvlan."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, wait_until
from tests.lab.test_release import kill_until_released

pytestmark = pytest.mark.vm

PYHAD = os.environ.get("PYHAD_UNDER_TEST", str(Path(sys.executable).with_name("pyhad")))
VIP, VIP6 = "10.0.0.100", "fd00::100"
TEXT = """
vrrp_instance V4 {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 0.5
    version 3
    use_ipvlan 10.0.0.{own}/24
    virtual_ipaddress {{
        10.0.0.100/24
    }}
}}
vrrp_instance V6 {{
    interface eth0
    virtual_router_id 52
    priority {priority}
    advert_int 0.5
    version 3
    use_ipvlan name lan6
    virtual_ipaddress {{
        fe80::100/64
        fd00::100/64
    }}
}}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two directors and a client on one LAN."""
    with Lab() as made:
        for number, host in enumerate(("a", "b", "client"), start=1):
            made.wire(host, "eth0", "lan", f"10.0.0.{number}/24", f"fe80::{number}/64", f"fd00::{number}/64")
        yield made


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Open to the processes without rights too."""
    with tempfile.TemporaryDirectory(prefix="pyhad-test.") as name:
        Path(name).chmod(0o755)
        yield Path(name)
        print("\n".join((Path(name) / "a.log").read_text().splitlines()[-30:]))


def start(lab: Lab, folder: Path, host: str, daemon: str, priority: int) -> Running:
    path = folder / f"{host}.conf"
    path.write_text(TEXT.format(priority=priority, own=5 if host == "a" else 6))
    path.chmod(0o644)
    files = [word for option in "prc" for word in (f"-{option}", str(folder / f"{host}.{option}.pid"))]
    command = ["keepalived", "-n", "-l", "-D", "-f", str(path), *files]
    if daemon == "pyhad":
        command = [PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(folder / f"{host}.run")]
    return lab.start(host, *command, log=folder / f"{host}.log")


@pytest.mark.behaviour("VMAC-6")
def test_a_router_on_an_ipvlan_leads_gives_way_and_leaves_nothing(lab: Lab, folder: Path) -> None:
    holders = lambda: [lab.holders(one, ("a", "b")) for one in (VIP, VIP6)]  # noqa: E731
    start(lab, folder, "b", "keepalived", 100)
    wait_until(lambda: holders()[0] == ["b"], 60, "keepalived leads", every_s=0.3)
    daemon = start(lab, folder, "a", "pyhad", 150)
    wait_until(lambda: holders() == [["a"], ["a"]], 60, "pyhad leads", every_s=0.3)
    links = lab.run("a", "ip", "-o", "-d", "link")
    assert re.search(r"vrrp\.51@eth0.* ipvlan +mode l2 bridge", links)
    assert re.search(r"lan6@eth0.* ipvlan +mode l2 bridge", links)
    assert "10.0.0.5/24" in lab.run("a", "ip", "addr", "show", "vrrp.51")
    assert VIP in lab.run("a", "ip", "addr", "show", "vrrp.51")
    for address in (VIP, VIP6):
        ping = ("ping", "-c2", "-i0.3", "-W2", address)
        wait_until(lambda words=ping: " 0% packet loss" in lab.run("client", *words, check=False), 10, "it answers")
    heard = folder / "heard"
    lab.start("client", "tcpdump", "-lni", "eth0", "ip proto 112", log=heard)
    wait_until(lambda: "10.0.0.5 > 224.0.0.18" in heard.read_text(), 30, "the client hears adverts")
    kill_until_released(folder / "a.log")
    log = folder / "b.log"
    wait_until(lambda: log.read_text().count("Entering MASTER") == 4, 10, "keepalived gets both once more")
    wait_until(lambda: re.search(r"10\.0\.0\.5 > 224\.0\.0\.18: .* prio 0,", heard.read_text()), 5, "by priority 0")
    wait_until(lambda: holders() == [["a"], ["a"]], 60, "pyhad leads again", every_s=0.3)
    daemon.stop()
    wait_until(lambda: holders()[0] == ["b"], 20, "keepalived leads again", every_s=0.3)
    assert "ipvlan" not in lab.run("a", "ip", "-d", "link")
