"""What a running pyhad lives through: the death of its VRRP process, and new configurations."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.lab.net import PATIENCE_S, Lab, Running, log_lines, wait_until
from tests.lab.test_vrrp_interop import ADDRESS, PYHAD, V3, VIP, Segment

pytestmark = pytest.mark.lab


def instance(name: str, vrid: int, priority: int, *vips: str) -> str:
    lines = "\n".join(f"        {vip}" for vip in vips)
    return f"""
vrrp_instance {name} {{
    state BACKUP
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    advert_int 0.1
    version 3
    virtual_ipaddress {{
{lines}
    }}
}}
"""


class Director:
    """pyhad on host n, whose configuration is written again and again."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.path = folder / "n.conf"
        self.log = folder / "n.log"
        lab.wire("n", "eth0", "lan", "10.0.0.1/24")
        self.run_dir = folder / "run"
        self.daemon: Running | None = None

    def configure(self, *instances: str) -> None:
        """Start, or reload and wait until the VRRP process works by it."""
        self.path.write_text("".join(instances))
        self.path.chmod(0o644)
        if self.daemon is None:
            command = [PYHAD, "-n", "-l", "-f", str(self.path), "--run-dir", str(self.run_dir)]
            self.daemon = self.lab.start("n", *command, log=self.log)
            return
        before = len(self.logged("configuration_applied"))
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: len(self.logged("configuration_applied")) > before, 5, "the reload is in force")

    def logged(self, event: str) -> list[dict[str, str]]:
        return [line for line in log_lines(self.log) if line.get("event") == event and line["process"] == "vrrp"]

    def changes(self) -> list[tuple[str, str]]:
        return [(line["instance"], line["new"]) for line in self.logged("state_changed")]

    def virtual(self) -> set[str]:
        return self.lab.addresses("n") - {"127.0.0.1", "::1", "10.0.0.1"} - {
            address for address in self.lab.addresses("n") if address.startswith("fe80")
        }  # fmt: skip

    def wait_for(self, *vips: str) -> None:
        wait_until(lambda: self.virtual() == set(vips), 15, f"exactly {vips} are there")


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started."""
    return Director(lab, open_folder)


@pytest.mark.behaviour("REL-11")
@pytest.mark.behaviour("REL-12")
@pytest.mark.behaviour("REL-13")
def test_a_reload_changes_addresses_and_priority_without_a_change_of_state(director: Director) -> None:
    director.configure(instance("A", 51, 100, "10.0.0.100", "10.0.0.101"))
    director.wait_for("10.0.0.100", "10.0.0.101")
    director.configure(instance("RENAMED", 51, 120, "10.0.0.101", "10.0.0.102"))
    director.wait_for("10.0.0.101", "10.0.0.102")
    time.sleep(0.5)
    assert director.changes() == [("A", "BACKUP"), ("A", "MASTER")]


@pytest.mark.behaviour("REL-14")
@pytest.mark.behaviour("REL-15")
def test_instances_come_and_go_with_reloads_and_the_others_go_on(director: Director) -> None:
    director.configure(instance("A", 51, 100, "10.0.0.100"))
    director.wait_for("10.0.0.100")
    director.configure(instance("A", 51, 100, "10.0.0.100"), instance("B", 52, 100, "10.0.0.110"))
    director.wait_for("10.0.0.100", "10.0.0.110")
    director.configure(instance("B", 52, 100, "10.0.0.110"))
    director.wait_for("10.0.0.110")
    director.configure(instance("B", 53, 100, "10.0.0.110"))  # another VRID is another router
    director.wait_for("10.0.0.110")
    wait_until(lambda: director.changes()[-1] == ("B", "MASTER"), 3, "the new B is master")
    assert [change for change in director.changes() if change[0] == "A"] == [
        ("A", "BACKUP"), ("A", "MASTER"), ("A", "INIT"),
    ]  # fmt: skip


@pytest.mark.behaviour("REL-19")
def test_an_address_that_moves_between_instances_in_one_reload_is_kept(director: Director) -> None:
    director.configure(instance("A", 51, 100, "10.0.0.100", "10.0.0.101"), instance("B", 52, 100, "10.0.0.110"))
    director.wait_for("10.0.0.100", "10.0.0.101", "10.0.0.110")
    director.configure(instance("A", 51, 100, "10.0.0.100"), instance("B", 52, 100, "10.0.0.110", "10.0.0.101"))
    time.sleep(0.3)
    director.wait_for("10.0.0.100", "10.0.0.101", "10.0.0.110")
    director.configure(instance("A", 51, 100, "10.0.0.100", "10.0.0.110"), instance("B", 52, 100, "10.0.0.101"))
    time.sleep(0.3)
    director.wait_for("10.0.0.100", "10.0.0.101", "10.0.0.110")


def test_what_a_killed_daemon_left_is_removed_when_it_is_not_configured_any_more(director: Director) -> None:
    no_lease = "global_defs {\n    pyhad_vip_lease off\n}\n"  # or the kernel would do it some seconds later
    both = instance("A", 51, 100, "10.0.0.100"), instance("B", 52, 100, "10.0.0.110", "10.0.0.111")
    director.configure(no_lease, *both)
    director.wait_for("10.0.0.100", "10.0.0.110", "10.0.0.111")
    director.lab.kill_all("n", "pyhad")
    assert director.virtual() == {"10.0.0.100", "10.0.0.110", "10.0.0.111"}
    assert director.daemon is not None
    director.daemon.wait(PATIENCE_S)
    director.daemon = None
    director.lab.run("n", "ip", "addr", "add", "10.0.0.120/32", "dev", "eth0")  # somebody else's
    director.configure(instance("A", 51, 100, "10.0.0.100"))
    wait_until(lambda: director.virtual() & {"10.0.0.110", "10.0.0.111"} == set(), 3, "the left-over ones are gone")
    director.wait_for("10.0.0.100", "10.0.0.120")


def test_a_killed_vrrp_process_is_replaced_and_keepalived_notices_nothing(lab: Lab, open_folder: Path) -> None:
    segment = Segment(lab, open_folder)
    segment.start("a", "pyhad", V3, 150)
    segment.start("b", "keepalived", V3, 100)
    segment.wait_for("a", 5)
    before = {host: segment.events(host) for host in ADDRESS}
    log = open_folder / "a.log"
    child = next(line["pid"] for line in log_lines(log) if line["process"] == "vrrp")
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: "resumed_after_restart" in log.read_text(), 2, "the successor goes on as master")
    time.sleep(1)
    assert {host: segment.events(host) for host in ADDRESS} == before, f"{VIP} never moved"
    assert "MASTER STATE" not in (open_folder / "b.log").read_text()
