"""The whole daemon on a kernel that has IPVS: ipvsadm and a client say whether it works."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.site import VIP, Site
from demo.view import View
from tests.lab.net import Lab, LabError, wait_until

pytestmark = pytest.mark.vm
BOTH = {"10.0.0.11:80", "10.0.0.12:80"}
TABLE = f"-A -t {VIP}:80 -s rr\n-a -t {VIP}:80 -r 10.0.0.11:80 -m -w 1\n-a -t {VIP}:80 -r 10.0.0.12:80 -m -w 1\n"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One director, d1, with both web servers up."""
    with tempfile.TemporaryDirectory(prefix="pyhad-test.") as name, Lab() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        site = Site(lab, folder)
        for name in ("web1", "web2"):
            site.start_web(name)
        config = folder / "d1.conf"
        with_sync = "router_id d1\n lvs_sync_daemon eth1 inst VI_1"
        config.write_text(config.read_text().replace("router_id d1", with_sync))
        site.start_director("d1")
        try:
            wait_until(lambda: View(site.run_dir("d1")).servers() == BOTH, 60, "the table is whole", every_s=0.3)
            wait_until(lambda: VIP in lab.addresses("d1"), 60, "d1 holds the address", every_s=0.3)
            yield site
        finally:
            print("\n".join((folder / "d1.log").read_text().splitlines()[-80:]))


def table(site: Site) -> str:
    """What ipvsadm saves."""
    return site.lab.run("d1", "ipvsadm", "-Sn")


def get(site: Site) -> str:
    return site.lab.run("client", "curl", "-s", "-m", "5", f"http://{VIP}/", check=False)


def test_ipvsadm_shows_the_configured_table(site: Site) -> None:
    assert table(site) == TABLE


def test_requests_are_shared_by_round_robin(site: Site) -> None:
    answers = [get(site) for _ in range(8)]
    assert {name: answers.count(name) for name in ("web1", "web2")} == {"web1": 4, "web2": 4}


def test_a_dead_web_server_leaves_the_kernels_table_and_comes_back(site: Site) -> None:
    site.webs["web1"].kill()
    without = f"-A -t {VIP}:80 -s rr\n-a -t {VIP}:80 -r 10.0.0.12:80 -m -w 1\n"
    wait_until(lambda: table(site) == without, 30, "web1 is out of the kernel's table", every_s=0.3)
    assert {get(site) for _ in range(4)} == {"web2"}
    site.start_web("web1")
    wait_until(
        lambda: sorted(table(site).splitlines()) == sorted(TABLE.splitlines()), 30, "web1 is in again", every_s=0.3
    )


@pytest.mark.parametrize("victim", ["ipvs", "checker", "vrrp"])
def test_the_table_stands_while_a_child_is_replaced(site: Site, victim: str) -> None:
    view = View(site.run_dir("d1"))
    before = table(site)
    old = view.process(victim)
    assert old is not None
    os.kill(old.pid, signal.SIGKILL)

    def is_replaced() -> bool:
        assert table(site) == before
        new = view.process(victim)
        return new is not None and new.pid not in (0, old.pid) and not new.silent and view.servers() == BOTH

    wait_until(is_replaced, 30, f"{victim} is replaced", every_s=0.2)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        assert table(site) == before
    assert VIP in site.lab.addresses("d1")
    assert get(site) in ("web1", "web2")


def sync_daemons(site: Site) -> list[str]:
    """Role, interface and id of each, as ipvsadm says."""
    return [" ".join(line.split()[:4]) for line in site.lab.run("d1", "ipvsadm", "-l", "--daemon").splitlines()]


def ctl(site: Site, *words: str) -> str:
    pyhadctl = str(Path(sys.executable).with_name("pyhadctl"))
    return site.lab.run("d1", pyhadctl, "--run-dir", str(site.run_dir("d1")), *words, timeout_s=60)


@pytest.mark.behaviour("LVS-12")
def test_the_sync_daemon_sends_while_the_instance_is_master_and_receives_while_it_is_not(site: Site) -> None:
    sends = ["master sync daemon (mcast=eth1,"]
    wait_until(lambda: sync_daemons(site) == sends, 20, "d1 sends its connections", every_s=0.3)
    ctl(site, "vrrp", "standby", "VI_1")
    receives = ["backup sync daemon (mcast=eth1,"]
    wait_until(lambda: sync_daemons(site) == receives, 20, "d1 receives connections", every_s=0.3)
    ctl(site, "vrrp", "takeback", "VI_1")
    wait_until(lambda: sync_daemons(site) == sends, 20, "d1 sends again", every_s=0.3)
    assert "syncid=51" in site.lab.run("d1", "ipvsadm", "-l", "--daemon")


def numbers(listing: str) -> dict[str, list[str]]:
    """The five of each service and server, whoever lists them."""
    rows = [line.split() for line in listing.splitlines()]
    return {row[1]: row[2:7] for row in rows if row and row[0] in ("TCP", "->") and row[1][0].isdigit()}


def test_counters_and_rates_are_those_that_ipvsadm_shows(site: Site) -> None:
    """The kernel is told to stop estimating while there is traffic, so that both look at the same."""
    service = f"{VIP}:80"
    site.lab.sysctl("d1", "net.ipv4.vs.run_estimation", "1")

    def rates() -> dict[str, list[str]]:
        return numbers(site.lab.run("d1", "ipvsadm", "-Ln", "--rate"))

    def is_busy() -> bool:
        assert get(site) in ("web1", "web2")
        return all(rates()[name][0] != "0" for name in (service, "10.0.0.11:80", "10.0.0.12:80"))

    wait_until(is_busy, 40, "the kernel sees connections each second", every_s=0.05)
    site.lab.sysctl("d1", "net.ipv4.vs.run_estimation", "0")
    wait_until(lambda: numbers(ctl(site, "vs", "--rate")) == rates(), 40, "the same rates", every_s=1)

    def counted() -> dict[str, list[str]]:
        return numbers(site.lab.run("d1", "ipvsadm", "-Ln", "--stats"))

    wait_until(lambda: numbers(ctl(site, "vs")) == counted(), 40, "the same counters", every_s=1)
    found = json.loads(ctl(site, "vs", "-j"))["services"][0]
    assert [str(count) for count in found["rates"].values()] == rates()[service]
    assert str(found["connections"]["total"]) == counted()[service][0]
    assert f'pyhad_service_connections_total{{service="{service}/tcp"}} {counted()[service][0]}' in ctl(site, "metrics")
    site.lab.sysctl("d1", "net.ipv4.vs.run_estimation", "1")


def test_a_drained_server_leaves_the_table_and_stays_out_over_a_new_start_until_undone(site: Site) -> None:
    service, server = f"{VIP}:80/tcp", "10.0.0.12:80"
    without = f"-A -t {VIP}:80 -s rr\n-a -t {VIP}:80 -r 10.0.0.11:80 -m -w 1\n"
    assert "leaves the table with its last one, 1 s from now" in ctl(
        site, "rs", "drain", service, server, "--deadline", "1s"
    )
    wait_until(lambda: table(site) == without, 20, "web2 is out", every_s=0.3)
    wait_until(lambda: "drained, taken out" in ctl(site, "status", "vs"), 20, "the status says so", every_s=0.3)
    assert ctl(site, "diff") == "The table is as it should be.\n"
    assert site.directors["d1"].stop() == 0
    site.start_director("d1")
    wait_until(lambda: table(site) == without, 60, "the new daemon leaves web2 out", every_s=0.3)
    ctl(site, "rs", "undrain", service, server)
    both = sorted(TABLE.splitlines())
    wait_until(lambda: sorted(table(site).splitlines()) == both, 20, "web2 is in again", every_s=0.3)


def test_an_orderly_stop_empties_the_kernels_table(site: Site) -> None:
    assert site.directors["d1"].stop() == 0
    assert table(site) == ""
    assert VIP not in site.lab.addresses("d1")
    with pytest.raises(LabError):
        site.lab.run("d1", "test", "-e", str(Path(site.run_dir("d1")) / "pyhad.pid"))
