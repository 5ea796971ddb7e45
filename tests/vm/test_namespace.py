"""`net_namespace_ipvs`: the daemon runs in one network namespace and balances in another, as keepalived does."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, wait_until

pytestmark = pytest.mark.vm
TABLE = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.11:80 -m -w 1\n"
MORE = "-a -t 192.0.2.1:80 -r 10.0.0.12:80 -m -w 1\n"


class Site:
    """`manager`, where the daemon runs, and `balancer`, where it balances."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        lab.host("manager")
        self.balancer = lab.host("balancer")
        self.config = folder / "k.conf"
        self.configure("10.0.0.11")

    def configure(self, *servers: str) -> None:
        reals = "".join(f" real_server {server} 80 {{\n }}\n" for server in servers)
        service = f"virtual_server 192.0.2.1 80 {{\n lb_algo rr\n lb_kind NAT\n protocol TCP\n{reals}}}\n"
        self.config.write_text(f"net_namespace_ipvs {self.balancer}\n{service}")

    def tables(self) -> dict[str, str]:
        """What ipvsadm saves in each."""
        return {host: self.lab.run(host, "ipvsadm", "-Sn") for host in ("manager", "balancer")}

    def expect(self, table: str, what: str) -> None:
        wait_until(lambda: self.tables() == {"manager": "", "balancer": table}, 30, what, every_s=0.2)


@pytest.fixture
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="pyhad-test.") as name, Lab() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        yield Site(lab, folder)
        for log in folder.glob("*.log"):
            print("\n".join(log.read_text().splitlines()[-40:]))


def start_pyhad(site: Site) -> Running:
    pyhad = str(Path(sys.executable).with_name("pyhad"))
    words = ("-n", "-l", "--no-syslog", "-f", str(site.config), "--run-dir", str(site.folder / "run"))
    return site.lab.start("manager", pyhad, *words, log=site.folder / "pyhad.log")


def test_the_table_is_in_the_named_namespace_over_reload_and_death_until_the_stop(site: Site) -> None:
    daemon = start_pyhad(site)
    site.expect(TABLE, "the table is in the other namespace")
    os.kill(int((site.folder / "run" / "ipvs.pid").read_text()), signal.SIGKILL)
    site.configure("10.0.0.11", "10.0.0.12")
    daemon.signal(signal.SIGHUP)
    site.expect(TABLE + MORE, "the successor of the killed owner wrote there too")
    assert daemon.stop(30) == 0
    assert site.tables() == {"manager": "", "balancer": ""}


def test_keepalived_has_the_same_table_in_the_same_place(site: Site) -> None:
    command = ("keepalived", "-n", "-C", "-f", str(site.config), "--log-console")
    files = ("-p", str(site.folder / "p"), "-c", str(site.folder / "c"))
    daemon = site.lab.start("manager", *command, *files, log=site.folder / "keepalived.log")
    site.expect(TABLE, "keepalived's table is in the other namespace")
    daemon.stop(30)
