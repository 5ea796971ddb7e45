"""`nftables_ipvs`: the packets of a group have its mark, over reloads, drift and the owner's death."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.net import Lab

pytestmark = [pytest.mark.lab, pytest.mark.behaviour("LVS-22")]

_GROUP = """
virtual_server_group {0} {{
    {1}
}}
virtual_server group {0} {{
    lb_algo rr
    lb_kind NAT
    protocol {2}
    real_server {3} 80 {{
    }}
}}
"""
WEB = _GROUP.format("WEB", "192.0.2.1 80\n 192.0.2.2-3 80\n 192.0.2.2 8080", "TCP", "10.1.0.11")
DNS = _GROUP.format("DNS", "192.0.2.1 53", "UDP", "10.1.0.11")
ALL = _GROUP.format("ALL", "192.0.2.1 0", "TCP", "10.1.0.11")
SIX = _GROUP.format("SIX", "fd00:2::1 80", "TCP", "fd00:1::11")
TWO = _GROUP.format("TWO", "192.0.2.9 80\n fwmark 7", "TCP", "10.1.0.11")
USED = "global_defs {\n nftables_ipvs\n nftables_counters\n}\n"
COUNTED = (1000, 1001, 1002, 1003)

_SEND = """
import socket, sys
for target in sys.argv[1:]:
    kind, host, port = target.split("/")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM) as one:
        one.settimeout(2)
        try:
            one.connect((host, int(port)))
            one.send(b"x")
        except OSError:
            pass
"""


class Site:
    """A client, and a director where the marks are; what has which mark is counted after them."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self._folder = folder
        lab.wire("client", "eth0", "lan", "192.0.2.10/24", "fd00:2::10/64")
        addresses = [f"192.0.2.{number}/24" for number in (1, 2, 3, 9)]
        lab.wire("director", "eth0", "lan", *addresses, "fd00:2::1/64")
        rules = "".join(f"meta mark {mark} counter\n" for mark in COUNTED)
        lab.run("director", "nft", f"table inet seen {{ chain in {{ type filter hook input priority 10; {rules} }}\n}}")
        command = [*lab.argv("director"), sys.executable, "-m", "tests.lab.marks_stand_in"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words: str) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(*words, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def apply(self, *parts: str, plane: str = "ipvs") -> Any:
        config = self._folder / "k.conf"
        config.write_text("".join(parts))
        return self.ask("apply", str(config), plane)

    def seen(self, *targets: str) -> dict[int, int]:
        """How many packets of one try at each target had which mark."""
        self.lab.run("director", "nft", "reset counters")
        before = self._counts()
        self.lab.run("client", sys.executable, "-c", _SEND, *targets, timeout_s=30)
        after = self._counts()
        return {mark: after[mark] - before[mark] for mark in COUNTED if after[mark] > before[mark]}

    def _counts(self) -> dict[int, int]:
        listing = json.loads(self.lab.run("director", "nft", "-j", "list", "table", "inet", "seen"))["nftables"]
        rules = [each["rule"]["expr"] for each in listing if "rule" in each]
        return {expr[0]["match"]["right"]: expr[1]["counter"]["packets"] for expr in rules}

    def tables(self) -> list[str]:
        words = self.lab.run("director", "nft", "list", "tables").splitlines()
        return [line for line in words if line != "table inet seen"]


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory() as folder, Lab() as lab:
        site = Site(lab, Path(folder))
        try:
            yield site
        finally:
            assert site.process.stdin is not None
            assert site.process.stdout is not None
            site.process.stdin.close()
            site.process.wait(10)
            site.process.stdout.close()


def test_packets_of_each_group_have_its_mark_and_others_have_none(site: Site) -> None:
    assert site.apply(USED, WEB, DNS, ALL, SIX, TWO) == {
        "group:WEB/tcp": [1000], "group:DNS/udp": [1001], "group:ALL/tcp": [1002], "group:SIX/tcp": [1003],
        "group:TWO/tcp": [0, 7],
    }  # fmt: skip
    assert site.seen("tcp/192.0.2.1/80", "tcp/192.0.2.3/80", "tcp/192.0.2.2/8080") == {1000: 3}
    assert site.seen("udp/192.0.2.1/53") == {1001: 1}
    assert site.seen("tcp/192.0.2.1/443", "tcp/fd00:2::1/80") == {1002: 1, 1003: 1}
    assert site.seen("tcp/192.0.2.9/80", "tcp/192.0.2.2/443", "udp/192.0.2.1/80", "tcp/fd00:2::1/81") == {}


def test_a_group_keeps_its_mark_over_a_reload_and_the_owners_death(site: Site) -> None:
    site.apply(USED, WEB, DNS)
    assert site.apply(USED, ALL, DNS) == {"group:ALL/tcp": [1000], "group:DNS/udp": [1001]}
    site.ask("successor")
    assert site.apply(USED, WEB, ALL, DNS) == {
        "group:WEB/tcp": [1002], "group:ALL/tcp": [1000], "group:DNS/udp": [1001],
    }  # fmt: skip
    assert site.seen("tcp/192.0.2.1/80", "tcp/192.0.2.1/81", "udp/192.0.2.1/53") == {1002: 1, 1000: 1, 1001: 1}


def test_what_somebody_else_did_to_the_tables_is_repaired_and_counted(site: Site) -> None:
    site.apply(USED, WEB)
    assert site.ask("verify") == {}
    site.lab.run("director", "nft", "flush", "chain", "ip", "keepalived_ipvs", "in")
    assert site.seen("tcp/192.0.2.1/80") == {}
    assert site.ask("verify") == {"drift_repaired": 1}
    assert site.seen("tcp/192.0.2.1/80") == {1000: 1}
    site.lab.run("director", "nft", "delete", "table", "ip", "keepalived_ipvs")
    assert site.ask("verify") == {"drift_repaired": 2}
    assert site.seen("tcp/192.0.2.1/80") == {1000: 1}


@pytest.mark.parametrize("ending", ["retire", "without the keyword", "another data plane"])
def test_the_tables_go_when_they_are_not_wanted_any_more(site: Site, ending: str) -> None:
    site.apply(USED, WEB)
    assert site.tables() == ["table ip keepalived_ipvs"]
    if ending == "retire":
        site.ask("retire")
    else:
        words = (WEB,) if ending == "without the keyword" else (USED, WEB)
        plane = "nftables" if ending == "another data plane" else "ipvs"
        assert site.apply(*words, plane=plane) == {"group:WEB/tcp": [0, 0, 0, 0]}
    assert site.tables() == []
