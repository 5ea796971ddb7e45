"""100,000 connections through the nftables data plane: right shares, and none lost while a server is drained.

Three client addresses over IPv4 and one over IPv6; three servers with weights 5, 3 and 2.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab, Running, wait_until
from tests.vm.ipvs_owner import Owner, service

pytestmark = pytest.mark.lab

VIP, VIP6 = "192.0.2.1", "fd00:2::1"
WEIGHTS = {1: 5, 2: 3, 3: 2}
SHARED = (("192.0.2.10", VIP, 30_000), ("fd00:2::10", VIP6, 20_000))
WHILE_DRAINED = (("192.0.2.10", VIP, 25_000), ("192.0.2.11", VIP, 25_000))
WEB = ("web1", "web2", "web3")
HELD = 60


@pytest.fixture
def site() -> Iterator[Lab]:
    """Client, director, three servers that route back through it."""
    with Lab() as lab:
        lab.host("director", forward=True)
        lab.wire("client", "eth0", "front", "192.0.2.10/24", "192.0.2.11/24", "192.0.2.12/24", "fd00:2::10/64")
        lab.wire("director", "eth0", "front", f"{VIP}/24", f"{VIP6}/64")
        lab.wire("director", "eth1", "back", "10.1.0.1/24", "fd00:1::1/64")
        lab.sysctl("director", "net.ipv6.conf.all.forwarding", "1")
        for number in WEIGHTS:
            lab.wire(f"web{number}", "eth0", "back", f"10.1.0.1{number}/24", f"fd00:1::1{number}/64")
            lab.route(f"web{number}", "default", "via", "10.1.0.1")
            lab.run(f"web{number}", "ip", "-6", "route", "add", "default", "via", "fd00:1::1")
            lab.sysctl(f"web{number}", "net.core.somaxconn", "4096")
        for host, device in (("client", "eth0"), ("director", "eth0"), ("director", "eth1"), ("web1", "eth0"),
                             ("web2", "eth0"), ("web3", "eth0")):  # fmt: skip
            for family in ("ipv4", "ipv6"):  # a busy machine takes its time to answer for a neighbour
                lab.sysctl(host, f"net.{family}.neigh.{device}.mcast_solicit", "30")
        yield lab


@pytest.fixture
def folder() -> Iterator[Path]:
    base = Path(tempfile.mkdtemp(prefix="pyhad-"))
    base.chmod(0o755)  # the owner is not root and must reach its bus
    yield base
    shutil.rmtree(base)


class Programs:
    """`tests.lab.connections` on the hosts, and what they printed."""

    def __init__(self, site: Lab, folder: Path) -> None:
        self._site = site
        self._folder = folder
        self._loads = 0
        for number in WEIGHTS:
            self.start(f"web{number}", "server", f"web{number}", name=f"web{number}")
            wait_until(lambda number=number: ":80" in site.run(f"web{number}", "ss", "-Hltn"), 60, "it listens")

    def start(self, host: str, *words: str, name: str) -> Running:
        log = self._folder / f"{name}.log"
        return self._site.start(host, sys.executable, "-m", "tests.lab.connections", *words, log=log)

    def said(self, name: str) -> dict[str, Any]:
        """The last line of a program."""
        lines = (self._folder / f"{name}.log").read_text().splitlines()
        return json.loads(lines[-1]) if lines else {}

    def load(self, *loads: tuple[str, str, int]) -> list[tuple[str, Running]]:
        """All at the same time."""
        running = []
        for source, address, count in loads:
            self._loads += 1
            name = f"load{self._loads}"
            running.append((name, self.start("client", "load", source, address, str(count), name=name)))
        return running

    def counted(self) -> dict[int, int]:
        """Short connections of each server."""
        return {number: self.said(f"web{number}").get("tcp", 0) for number in WEIGHTS}


def finish(programs: Programs, loads: list[tuple[str, Running]]) -> None:
    """Every connection of these was made, one or two of a load perhaps at the second try: a packet can meet the kernel
    just between two tables."""
    for name, running in loads:
        assert running.wait(200) == 0
        said = programs.said(name)
        assert said["failed"] == 0, said
        assert said["again"] <= 2, said


def test_100000_connections_have_their_shares_and_none_is_lost_by_a_drain(site: Lab, folder: Path) -> None:
    programs = Programs(site, folder)
    servers = {f"10.1.0.1{number}:80": weight for number, weight in WEIGHTS.items()}
    servers6 = {f"[fd00:1::1{number}]:80": weight for number, weight in WEIGHTS.items()}
    web = service(f"{VIP}:80/tcp", servers, scheduler="wrr")
    owner_folder = folder / "owner"
    owner_folder.mkdir()
    services = [
        web,
        service(f"[{VIP6}]:80/tcp", servers6, scheduler="wrr"),
        service(
            f"{VIP}:53/udp", {f"10.1.0.1{number}:53": weight for number, weight in WEIGHTS.items()}, scheduler="wrr"
        ),
        service(f"[{VIP6}]:53/udp", {f"[fd00:1::1{number}]:53": 1 for number in WEIGHTS}, scheduler="rr"),
    ]
    specification = {"plane": "nftables", "services": services}
    owner = Owner(site.argv("director"), owner_folder, specification)
    try:
        owner.ask("speak")
        owner.ask("status")
        finish(programs, programs.load(*SHARED))
        wait_until(lambda: sum(programs.counted().values()) == 50_000, 10, "all have arrived")
        for number, count in programs.counted().items():
            assert abs(count / 50_000 - WEIGHTS[number] / 10) < 0.02, programs.counted()

        targets = (f"udp/{VIP}", f"udp/{VIP6}")
        answers = site.run("client", sys.executable, "-m", "tests.lab.connections", "ask", "90", *targets)
        assert json.loads(answers) == {
            f"udp/{VIP}": {"web1": 45, "web2": 27, "web3": 18}, f"udp/{VIP6}": dict.fromkeys(WEB, 30),
        }  # fmt: skip

        hold = programs.start("client", "hold", "192.0.2.12", VIP, str(HELD), str(folder / "flag"), name="hold")
        wait_until(lambda: programs.said("hold").get("held") == HELD, 10, "some connections stay")
        loads = programs.load(*WHILE_DRAINED)
        before = programs.counted()[1]
        drain = {"service": f"{VIP}:80/tcp", "server": "10.1.0.11:80", "weight": 0}
        assert owner.ask("weigh", wanted=drain) == ""
        wait_until(lambda: owner.events("server_drained_out"), 10, "web1 has left the table")
        finish(programs, loads)
        (folder / "flag").touch()
        assert hold.wait(60) == 0
        assert programs.said("hold") == {"alive": HELD}
        wait_until(lambda: sum(programs.counted().values()) == 100_000, 10, "all have arrived")
        assert programs.said("web1")["kept"] == HELD // 2
        assert programs.counted()[1] - before < 25_000  # it would have had half of them
    finally:
        owner.close()
