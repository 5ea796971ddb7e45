"""A plan against a real running daemon: what it works with is read from its memory, and the plan comes true."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.net import Lab, LabError, wait_until

pytestmark = pytest.mark.lab
BIN = Path(sys.executable).parent
CONFIG = """global_defs {
    router_id lab
    pyhad_data_plane nftables
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    virtual_ipaddress {
        192.0.2.100/24
    }
}
virtual_server 192.0.2.100 80 {
    lb_algo rr
    lb_kind NAT
    protocol TCP
    real_server 192.0.2.7 80 {
        TCP_CHECK {
            connect_timeout 1
        }
    }
}
"""


def test_the_plan_tells_what_the_reload_then_does(lab: Lab, open_folder: Path) -> None:
    lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
    path, run_dir = open_folder / "a.conf", open_folder / "run"
    path.write_text(CONFIG)
    daemon = lab.start("d1", str(BIN / "pyhad"), "-n", "-l", "-f", str(path), "--run-dir", str(run_dir),
                       log=open_folder / "log")  # fmt: skip
    ctl = (str(BIN / "pyhadctl"), "--run-dir", str(run_dir))
    wait_until(lambda: "192.0.2.100" in lab.addresses("d1"), 15, "the address is there")

    assert lab.run("d1", *ctl, "plan") == "Nothing would change.\n"
    assert lab.run("d1", *ctl, "config", "show").endswith("# This is in force.\n")
    path.write_text(CONFIG.replace("192.0.2.100/24", "192.0.2.100/24\n192.0.2.101/24").replace("7 80", "8 80"))
    planned = lab.run("d1", *ctl, "plan")
    assert planned == (
        "~ instance VI_1\n"
        "    + 192.0.2.101/24 dev eth0\n"
        "- server 192.0.2.100:80/tcp 192.0.2.7:80 removed\n"
        "+ server 192.0.2.100:80/tcp 192.0.2.8:80\n"
        "    weight 1, NAT\n"
        "\n"
        "Written to the kernel, in this order:\n"
        "    vrrp: advertise VI_1 with its new settings\n"
        "    vrrp: add 192.0.2.101/24 dev eth0 (VI_1)\n"
        "    ipvs: add 192.0.2.8:80 to 192.0.2.100:80/tcp weight 1 NAT\n"
        "    ipvs: remove 192.0.2.7:80 from 192.0.2.100:80/tcp\n"
        "\n"
        "1 instance changed, 1 server added, 1 server removed.\n"
        "No virtual router changes its state.\n"
    )
    assert "NOT in force" in lab.run("d1", *ctl, "config", "show")
    assert "192.0.2.101" not in lab.addresses("d1"), "a plan changes nothing"

    lab.run("d1", *ctl, "reload")
    wait_until(lambda: "192.0.2.101" in lab.addresses("d1"), 5, "the planned address is there")
    assert lab.run("d1", *ctl, "plan") == "Nothing would change.\n"
    assert daemon.stop() == 0


def test_only_root_sees_what_is_in_force(lab: Lab, open_folder: Path) -> None:
    lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
    path, run_dir = open_folder / "a.conf", open_folder / "run"
    path.write_text(CONFIG)
    lab.start("d1", str(BIN / "pyhad"), "-n", "-l", "-f", str(path), "--run-dir", str(run_dir), log=open_folder / "log")
    wait_until(lambda: "192.0.2.100" in lab.addresses("d1"), 15, "the address is there")
    group = os.stat(run_dir / "control").st_gid
    done = subprocess.run(
        lab.argv("d1", "setpriv", "--reuid=65534", f"--regid={group}", "--clear-groups",
                 str(BIN / "pyhadctl"), "--run-dir", str(run_dir), "plan"),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 5, done.stderr
    assert "pyhadctl: " in done.stderr


LED = """global_defs {
    script_user root
    pyhad_vip_lease off
}
vrrp_script chk {
    script "/usr/bin/touch {folder}/one"
    interval 1
}
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    version 3
    track_script {
        chk
    }
    virtual_ipaddress {
        192.0.2.100/24
        192.0.2.101/24
    }
    virtual_routes {
        10.1.0.0/16 via 192.0.2.9 dev eth0
        10.2.0.0/16 via 192.0.2.9 dev eth0
    }
}
"""
CHANGES = {
    "/one": "/two",
    "2.101/24": "2.102/24",
    "10.1.": "10.3.",
    "    priority 150": "    use_vmac\n    priority 160",
}
PLANNED = re.compile(r"vrrp: (add|remove|make) (?:route |macvlan )?(\S+)")
SEEN = re.compile(
    r"(Deleted )?(?:\d+: (?=vrrp\.51@)|\d+: \S+ +inet )?(vrrp\.51|[\d./]+)(?= scope|@|.* proto keepalived)"
)


def planned(text: str) -> list[tuple[bool, str]]:
    """(whether it goes, what), in the order of the plan."""
    return [(match[1] == "remove", match[2].removesuffix("/24")) for match in PLANNED.finditer(text)]


def happened(text: str) -> list[tuple[bool, str]]:
    """The same of what `ip monitor` tells; a link tells of itself several times."""
    found: list[tuple[bool, str]] = []
    for line in text.splitlines():
        match = SEEN.match(line)
        one = (bool(match[1]), match[2].removesuffix("/24")) if match else None
        if one is not None and one not in found:
            found.append(one)
    return found


@pytest.mark.behaviour("REL-17", "NET-2")
def test_what_is_planned_happens_in_that_order_and_the_master_stays(lab: Lab, open_folder: Path) -> None:
    lab.wire("d1", "eth0", "lan", "192.0.2.1/24")
    path, run_dir = open_folder / "a.conf", open_folder / "run"
    text = LED.replace("{folder}", str(open_folder))
    path.write_text(text)
    daemon = lab.start("d1", str(BIN / "pyhad"), "-n", "-l", "-f", str(path), "--run-dir", str(run_dir),
                       log=open_folder / "log")  # fmt: skip
    ctl = (str(BIN / "pyhadctl"), "--run-dir", str(run_dir))
    wait_until(lambda: "192.0.2.100" in lab.addresses("d1"), 15, "the address is there")
    for old, new in CHANGES.items():
        text = text.replace(old, new)
    path.write_text(text)
    plan = lab.run("d1", *ctl, "plan")
    assert "it runs at once; what was found before counts until then" in plan
    assert plan.endswith("No virtual router changes its state.\n")
    monitor = lab.start("d1", "ip", "-o", "monitor", "link", "address", "route", log=open_folder / "monitor")
    touch = ("ip", "link", "set", "lo", "alias", "probe")
    wait_until(lambda: lab.run("d1", *touch) or "lo:" in monitor.log(), 10, "the monitor sees what happens")
    lab.run("d1", *ctl, "reload")
    wait_until(lambda: {"192.0.2.102"} <= lab.addresses("d1"), 5, "the planned address is there")
    with contextlib.suppress(LabError):  # what happened instead is shown below
        wait_until(lambda: happened(monitor.log()) == planned(plan), 5, "the plan happens")
    assert happened(monitor.log()) == planned(plan)
    wait_until((open_folder / "two").exists, 5, "the other program has run")
    assert "state_changed" not in daemon.log().split("reload_wanted")[1]
