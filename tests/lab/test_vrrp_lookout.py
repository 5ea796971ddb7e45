"""Polled links, adverts of strangers and the setting of membership reports, by a running pyhad in namespaces."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.lab.net import Lab, wait_until
from tests.lab.test_vrrp_lifecycle import Director

pytestmark = pytest.mark.lab

INSTANCE = """
vrrp_instance {} {{
    interface eth0
    virtual_router_id {}
    priority 100
    advert_int 0.1
    version 3
    virtual_ipaddress {{ {} }}
}}
"""
OURS = INSTANCE.format("A", 51, "10.0.0.100")
_IGMP = "/proc/sys/net/ipv4/igmp_link_local_mcast_reports"


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started."""
    return Director(lab, open_folder)


def dormant(lab: Lab, *, sleeps: bool) -> None:
    """Netlink's IFF_RUNNING goes away while the driver keeps its carrier."""
    lab.run("n", "ip", "link", "set", "eth0", "mode", "dormant" if sleeps else "default")
    lab.run("n", "ip", "link", "set", "eth0", "state", "dormant" if sleeps else "up")


@pytest.mark.behaviour("FSM-49", "TRK-30")
def test_a_polled_interface_counts_as_its_driver_says_and_not_as_netlink_does(director: Director) -> None:
    lab = director.lab
    director.configure("linkbeat_interfaces {\n eth0\n}\n", OURS)
    director.wait_for("10.0.0.100")
    dormant(lab, sleeps=True)
    time.sleep(1.5)
    assert director.changes()[-1] == ("A", "MASTER"), "the driver has carrier"
    dormant(lab, sleeps=False)
    lab.cut("n", "eth0")
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 3, "the driver has lost its carrier")
    director.wait_for()
    lab.mend("n", "eth0")
    wait_until(lambda: director.changes()[-1] == ("A", "MASTER"), 5, "and has it again")
    director.configure("linkbeat_interfaces {\n eth0 MII\n}\n", OURS)
    wait_until(lambda: director.logged("linkbeat_without_answer"), 3, "a veth has no MII")
    assert director.logged("linkbeat_without_answer")[0]["method"] == "MII"
    dormant(lab, sleeps=True)
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 3, "netlink's word counts again")


def test_strangers_are_said_once_while_asked_for_and_reports_are_off_meanwhile(
    director: Director, open_folder: Path
) -> None:
    lab = director.lab
    lab.wire("peer", "eth0", "lan", "10.0.0.2/24")
    peer = open_folder / "peer.conf"
    peer.write_text(INSTANCE.format("B", 52, "10.0.0.200"))
    lab.start("peer", "keepalived", "-n", "-l", "-f", str(peer), "-p", str(open_folder / "p"), "-r",
              str(open_folder / "r"), log=open_folder / "peer.log")  # fmt: skip
    director.configure(OURS)
    director.wait_for("10.0.0.100")
    assert lab.run("n", "cat", _IGMP).strip() == "1"
    wait_until(lambda: lab.holders("10.0.0.200", ["peer"]), 5, "the peer is master")
    time.sleep(0.3)
    assert director.logged("unknown_vrid") == []
    director.configure("global_defs {\n log_unknown_vrids\n disable_local_igmp\n}\n", OURS)
    wait_until(lambda: director.logged("unknown_vrid"), 2, "it is said")
    time.sleep(0.5)
    found = [(line["interface"], line["vrid"], line["peer"]) for line in director.logged("unknown_vrid")]
    assert found == [("eth0", 52, "10.0.0.2")]
    assert lab.run("n", "cat", _IGMP).strip() == "0"
    director.configure(
        "global_defs {\n disable_local_igmp\n}\n", OURS, INSTANCE.format("C", 53, "10.0.0.103")
    )  # fmt: skip
    assert director.daemon is not None
    assert director.daemon.stop() == 0
    assert lab.run("n", "cat", _IGMP).strip() == "1"
    assert len(director.logged("unknown_vrid")) == 1
