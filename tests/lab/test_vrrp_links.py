"""Interfaces that are renamed; news that the kernel had to drop; routes of a daemon that was killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import PATIENCE_S, Lab, wait_until
from tests.lab.test_vrrp_interop import PYHAD
from tests.lab.test_vrrp_lifecycle import Director, instance

pytestmark = pytest.mark.lab

TINY = "global_defs {\n    vrrp_netlink_monitor_rcv_bufs 2400\n}\n"
FLOOD = 1500


@pytest.fixture
def director(lab: Lab, open_folder: Path) -> Director:
    """Not started."""
    return Director(lab, open_folder)


def with_routes(text: str, *routes: str) -> str:
    """An instance with these virtual routes."""
    return text.rstrip("}\n") + "\n    }\n    virtual_routes {\n" + "\n".join(routes) + "\n    }\n}\n"


def routes(director: Director) -> set[str]:
    """Destinations of our routes on host n."""
    shown = director.lab.run("n", "ip", "route", "show", "table", "all", "proto", "18")
    return {line.removeprefix("blackhole ").split()[0] for line in shown.splitlines()}


@pytest.mark.behaviour("FSM-40", "FSM-48")
def test_an_interface_that_is_renamed_is_gone_and_one_that_gets_its_name_is_there(director: Director) -> None:
    lab = director.lab
    director.configure(with_routes(instance("A", 51, 100, "10.0.0.100"), "10.70.0.0/16 dev eth0"))
    wait_until(lambda: routes(director) == {"10.70.0.0/16"}, 30, "its route is there")
    assert director.virtual() == {"10.0.0.100"}
    lab.run("n", "ip", "link", "set", "eth0", "name", "lan0")
    wait_until(lambda: director.changes()[-1] == ("A", "FAULT"), 10, "the name is what is configured")
    wait_until(
        lambda: (director.virtual(), routes(director)) == (set(), set()), 5, "nothing stays under the other name"
    )
    lab.run("n", "ip", "link", "set", "lan0", "name", "eth0")
    wait_until(lambda: routes(director) == {"10.70.0.0/16"}, 15, "its route is back")
    assert director.virtual() == {"10.0.0.100"}
    wait_until(lambda: director.changes()[-2:] == [("A", "BACKUP"), ("A", "MASTER")], 5, "the log says so")


@pytest.mark.behaviour("FIX-12", "FIX-14")
def test_an_interface_that_cannot_be_heard_by_many_or_bear_a_virtual_mac_is_a_fault(director: Director) -> None:
    """keepalived disables such an instance for good; here it comes when the interface can."""
    lab = director.lab
    lab.run("n", "ip", "link", "set", "eth0", "multicast", "off")
    lab.run("n", "ip", "tuntap", "add", "mode", "tun", "name", "t0")
    lab.run("n", "ip", "addr", "add", "10.7.0.1/24", "dev", "t0")
    lab.run("n", "ip", "link", "set", "t0", "up")
    plain = instance("B", 52, 100, "10.7.0.100").replace("eth0", "t0")
    director.configure(instance("A", 51, 100, "10.0.0.100"), plain.replace("{", "{\n use_vmac\n dont_track_primary", 1))
    wait_until(lambda: {("A", "FAULT"), ("B", "FAULT")} <= set(director.changes()), 20, "neither can take part")
    wait_until(lambda: "the base must be an Ethernet interface" in director.log.read_text(), 20, "the log says why")
    assert director.virtual() == {"10.7.0.1"}
    lab.run("n", "ip", "link", "set", "eth0", "multicast", "on")
    wait_until(lambda: director.virtual() == {"10.7.0.1", "10.0.0.100"}, 20, "the interface is able to now")


def patient(text: str) -> str:
    """With adverts each two seconds: its process may stand for a while and is not taken for hanging."""
    return text.replace("advert_int 0.1", "advert_int 2")


@pytest.mark.behaviour("FSM-37", "FSM-40")
def test_what_happened_while_news_were_lost_is_found_by_comparing(director: Director, open_folder: Path) -> None:
    lab = director.lab
    lab.wire("n", "eth1", "other", "10.8.0.1/24")
    other = patient(instance("B", 52, 250, "10.8.0.100")).replace("eth0", "eth1")
    director.configure(TINY, patient(instance("A", 51, 250, "10.0.0.100")), other)
    wait_until(lambda: {"10.0.0.100", "10.8.0.100"} <= lab.addresses("n"), 30, "both are master")
    flood = [f"address add 10.9.{number // 250}.{number % 250 + 1}/32 dev eth0" for number in range(FLOOD)]
    flood[FLOOD // 2 : FLOOD // 2] = ["address del 10.0.0.100/32 dev eth0", "link set eth1 down"]
    batch = open_folder / "batch"
    batch.write_text("\n".join(flood) + "\n")
    with standing(lab):  # reading along it would lose nothing
        lab.run("n", "ip", "-batch", str(batch))
    wait_until(lambda: ("B", "FAULT") in director.changes(), 15, "the interface that went down is noticed")
    wait_until(lambda: "10.0.0.100" in lab.addresses("n"), 15, "what was removed is put back")
    assert ("A", "FAULT") not in director.changes()
    ctl = str(Path(PYHAD).with_name("pyhadctl"))
    shown = lab.run("n", ctl, "--run-dir", str(director.run_dir), "status", "-j", check=False)
    status: dict[str, Any] = json.loads(shown[shown.index("{") :])
    assert status["vrrp"]["counters"]["netlink_overruns"] > 0


def test_interfaces_that_swap_their_names_at_once_leave_no_address_behind(director: Director) -> None:
    lab = director.lab
    lab.wire("n", "eth1", "other", "10.8.0.1/24")
    no_lease = "global_defs {\n    pyhad_vip_lease off\n}\n"  # or the kernel would do it some seconds later
    director.configure(no_lease, patient(instance("A", 51, 250, "10.0.0.100")))
    director.wait_for("10.0.0.100", "10.8.0.1")
    with standing(lab):
        for old, new in (("eth0", "swap"), ("eth1", "eth0"), ("swap", "eth1")):
            for words in (("down",), ("name", new)):
                lab.run("n", "ip", "link", "set", old, *words)
            lab.run("n", "ip", "link", "set", new, "up")
    wait_until(lambda: on_interface(lab, "eth1") == {"10.0.0.1"}, 10, "nothing stays on what was eth0")
    wait_until(lambda: "10.0.0.100" in on_interface(lab, "eth0"), 10, "it is on what is eth0 now")


def test_daemons_with_names_leave_each_other_the_addresses(director: Director, open_folder: Path) -> None:
    lab, log = director.lab, open_folder / "right.log"
    director.configure("instance left\n", instance("A", 51, 100, "10.0.0.100"))
    director.wait_for("10.0.0.100")
    path = open_folder / "right.conf"
    path.write_text("instance right\n" + instance("B", 52, 100, "10.0.0.101"))
    lab.start("n", PYHAD, "-n", "-l", "-f", str(path), "--run-dir", str(open_folder / "right"), log=log)
    director.wait_for("10.0.0.100", "10.0.0.101")
    director.configure("instance left\n", instance("A", 51, 100, "10.0.0.100"), instance("C", 53, 100, "10.0.0.102"))
    director.wait_for("10.0.0.100", "10.0.0.101", "10.0.0.102")
    assert "leftover_address_removed" not in log.read_text() + director.log.read_text()
    assert "lost_addresses_put_back" not in log.read_text() + director.log.read_text()


@contextlib.contextmanager
def standing(lab: Lab) -> Iterator[None]:
    """The VRRP process stands still, and first of all its parent, which would not stand by for long."""
    pids = [*lab.pids("n", "pyhad\n"), *lab.pids("n", "pyhad_vrrp\n")]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in reversed(pids):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def on_interface(lab: Lab, name: str) -> set[str]:
    shown = json.loads(lab.run("n", "ip", "-4", "-j", "address", "show", "dev", name))
    return {one["local"] for one in shown[0]["addr_info"]}


def test_routes_that_a_killed_daemon_left_are_removed_when_they_are_not_configured_any_more(
    director: Director,
) -> None:
    lab, statics = director.lab, "static_routes {{\n    10.72.0.0/16 dev eth0\n    {}\n}}\n"
    both = with_routes(instance("A", 51, 100, "10.0.0.100"), "10.70.0.0/16 dev eth0", "10.71.0.0/16 dev eth0")
    director.configure(both, statics.format("blackhole 10.73.0.0/16"))
    everything = {f"10.{number}.0.0/16" for number in (70, 71, 72, 73)}
    wait_until(lambda: routes(director) == everything, 30, "all are there")
    lab.kill_all("n", "pyhad")
    assert director.daemon is not None
    director.daemon.wait(PATIENCE_S)
    director.daemon = None
    lab.run("n", "ip", "route", "add", "10.79.0.0/16", "dev", "eth0", "proto", "18")  # another daemon's
    assert routes(director) == everything | {"10.79.0.0/16"}
    one = with_routes(instance("A", 51, 100, "10.0.0.100"), "10.70.0.0/16 dev eth0")
    director.configure(one, statics.format(""))
    kept = {"10.70.0.0/16", "10.72.0.0/16", "10.79.0.0/16"}
    wait_until(lambda: routes(director) == kept, 30, "what is left over is gone, what is another's stays")
    wanted = {"10.71.0.0/16 dev eth0", "blackhole 10.73.0.0/16"}
    removed = lambda: {line["path"] for line in director.logged("leftover_path_removed")}  # noqa: E731
    wait_until(lambda: removed() == wanted, 5, "the log names both")
