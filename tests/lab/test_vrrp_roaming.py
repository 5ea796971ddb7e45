"""Unicast without an interface: beside real keepalived (2.2.7 itself wants one), over whichever way the routes lead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_vrrp_lifecycle import Director

pytestmark = pytest.mark.lab

INSTANCE = """
vrrp_instance A {{
    {interface}
    virtual_router_id 51
    priority {priority}
    advert_int 0.2
    version 3
    unicast_src_ip {source}
    unicast_peer {{ {peer} }}
    virtual_ipaddress {{ {vip} dev eth1 }}
}}
"""


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started: the adverts go by eth0, the virtual address is to stand on eth1."""
    lab.wire("peer", "eth0", "lan", "10.0.0.2/24", "fd00::2/64")
    lab.wire("peer", "eth1", "other")
    made = Director(lab, open_folder)
    lab.wire("n", "eth1", "other")
    lab.run("n", "ip", "address", "add", "fd00::1/64", "dev", "eth0", "nodad")
    return made


@pytest.mark.behaviour("FIX-1", "FIX-11", "PKT-8")
@pytest.mark.parametrize(
    ("ours", "theirs", "vip"), [("10.0.0.1", "10.0.0.2", "10.9.0.100"), ("fd00::1", "fd00::2", "fd09::100")]
)
def test_unicast_without_an_interface_elects_with_keepalived(
    director: Director, open_folder: Path, ours: str, theirs: str, vip: str
) -> None:
    lab = director.lab
    peer = open_folder / "peer.conf"
    peer.write_text(INSTANCE.format(interface="interface eth0", priority=100, source=theirs, peer=ours, vip=vip))
    running = lab.start(
        "peer", "keepalived", "-n", "-l", "-f", str(peer), "-p", str(open_folder / "p"), "-r", str(open_folder / "r"),
        log=open_folder / "peer.log",
    )  # fmt: skip
    wait_until(lambda: lab.holders(vip, ["peer"]), 6, "keepalived is master alone")
    director.configure(INSTANCE.format(interface="", priority=150, source=ours, peer=theirs, vip=vip))
    wait_until(lambda: lab.holders(vip, ["n", "peer"]) == ["n"], 6, "the higher priority took over")
    director.configure(INSTANCE.format(interface="", priority=50, source=ours, peer=theirs, vip=vip))
    wait_until(lambda: lab.holders(vip, ["n", "peer"]) == ["peer"], 6, "and gives it back")
    lab.cut("n", "eth1")
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 3, "the interface of its address is followed")
    lab.mend("n", "eth1")
    wait_until(lambda: director.changes()[-1] == ("A", "BACKUP"), 5, "and back")
    running.stop()
    wait_until(lambda: lab.holders(vip, ["n"]), 4, "keepalived's farewell is heard")
    assert director.logged("advert_refused") == []
