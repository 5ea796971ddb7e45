"""The whole daemon with a real server given by its name: the table follows the name, make before break."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from demo.view import View
from tests.lab.net import Lab, Running, wait_until

pytestmark = pytest.mark.lab
CONF = """
global_defs {{
    pyhad_resolve_interval 1
    pyhad_checker_workers {workers}
    notification_email {{
        nobody@example.org
    }}
    smtp_server 127.0.0.1 1
}}
virtual_server {virtual} 80 {{
    delay_loop 0.3
    warmup 0
    lb_algo rr
    lb_kind NAT
    protocol TCP
    connect_timeout 1
    smtp_alert
    real_server web.example 80 {{
        {alpha}
        TCP_CHECK {{
        }}
    }}
}}
"""
SERVER = "web.example:80"
LISTEN = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
held = socket.create_server((sys.argv[1], 80), family=family)
while True:
    held.accept()
"""
WITH_FILES = (
    "mount --make-rprivate / && mount --bind $0/hosts /etc/hosts && mount --bind $0/resolv.conf /etc/resolv.conf"
    ' && exec "$@"'
)


class Site:
    """A director and a web server; `say` is the DNS of the director, as its hosts file."""

    def __init__(self, lab: Lab, folder: Path, *addresses: str) -> None:
        self._lab, self._folder = lab, folder
        lab.wire("d1", "eth0", "lan", "10.1.0.1/24", "fd00:1::1/64")
        lab.wire("web", "eth0", "lan", *addresses)
        self.view, self.log = View(folder / "run"), folder / "d1.log"
        (folder / "resolv.conf").write_text("")
        self.say("")

    def say(self, lines: str) -> None:
        (self._folder / "hosts").write_text(f"127.0.0.1 localhost\n{lines}\n")

    def listen(self, address: str) -> Running:
        return self._lab.start("web", sys.executable, "-c", LISTEN, address)

    def start(self, **words: object) -> Running:
        folder = self._folder
        (folder / "d1.conf").write_text(CONF.format(**words))
        pyhad = str(Path(sys.executable).with_name("pyhad"))
        return self._lab.start(
            "d1", "unshare", "-m", "sh", "-c", WITH_FILES, str(folder), pyhad, "--dont-fork", "--log-console",
            "--no-syslog", "--use-file", f"{folder}/d1.conf", "--run-dir", f"{folder}/run", log=self.log,
        )  # fmt: skip

    def verdict(self) -> tuple[bool, str, str, str]:
        """Up, why, the address, and the one that it is to have."""
        status = self.view.status()
        if status is None or status.checker is None or not status.checker.servers:
            return False, "", "", ""
        found = status.checker.servers[0]
        return found.verdict.up, found.verdict.reason, found.verdict.address, found.moving_to

    def comes(self, *wanted: object) -> None:
        wait_until(lambda: self.verdict() == wanted, 20, f"{wanted}, not {self.verdict()}")

    def serves(self, address: str, not_this: str) -> None:
        def is_so() -> bool:
            table = self._lab.run("d1", "sh", "-c", "nft list ruleset; ipvsadm -Sn 2> /dev/null", check=False)
            return address in table and not_this not in table

        wait_until(is_so, 10, f"{address} in the table, {not_this} no more")

    def kill(self, name: str) -> None:
        """And wait for the successor."""
        process = self.view.process(name)
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)

        def is_there() -> bool:
            found = self.view.process(name)
            return found is not None and found.pid not in (0, process.pid) and not found.silent

        wait_until(is_there, 20, f"another {name}")

    def count(self, event: str) -> int:
        return self.log.read_text().count(f'"event": "{event}"')


def test_a_name_moves_and_neither_kills_nor_a_restart_nor_a_dead_dns_takes_its_server_out(
    lab: Lab, open_folder: Path
) -> None:
    site = Site(lab, open_folder, "10.1.0.2/24", "10.1.0.3/24")
    site.listen("10.1.0.3")
    daemon = site.start(workers=0, virtual="10.1.0.100", alpha="alpha")
    try:
        site.comes(False, "name_not_resolved", "", "")
        assert site.view.servers() == set()
        wait_until(
            lambda: site.count("mail_not_sent") == 2, 10, "mails about server and quorum, though nobody takes them"
        )
        site.say("10.1.0.3 web.example")
        site.comes(True, "check_succeeded", "10.1.0.3", "")
        site.serves("10.1.0.3", "10.1.0.2")
        downs = site.count("server_down"), site.count("quorum_lost")
        site.say("10.1.0.2 web.example")
        site.comes(True, "check_succeeded", "10.1.0.3", "10.1.0.2")
        for name in ("checker", "ipvs"):  # in the middle of it
            site.kill(name)
        site.comes(True, "check_succeeded", "10.1.0.3", "10.1.0.2")
        site.serves("10.1.0.3", "10.1.0.2")
        site.listen("10.1.0.2")
        site.comes(True, "check_succeeded", "10.1.0.2", "")
        site.serves("10.1.0.2", "10.1.0.3")
        site.say("")
        wait_until(lambda: '"keeps": "10.1.0.2"' in site.log.read_text(), 10, "the last known address is kept")
        site.kill("ipvs")
        wait_until(lambda: site.view.servers() == {SERVER}, 5, "its server is in the table of the successor")
        assert (site.count("server_down"), site.count("quorum_lost")) == downs
        assert daemon.stop() == 0
        daemon = site.start(workers=0, virtual="10.1.0.100", alpha="alpha")
        site.comes(True, "check_succeeded", "10.1.0.2", "")
    finally:
        sys.stdout.write(site.log.read_text()[-9000:])
    assert daemon.stop() == 0


def test_a_lookup_that_hangs_loses_no_quorum_at_first_and_who_dies_goes_where_its_name_is(
    lab: Lab, open_folder: Path
) -> None:
    site = Site(lab, open_folder, "fd00:1::2/64", "fd00:1::3/64")
    (open_folder / "resolv.conf").write_text("nameserver 10.1.0.77\noptions timeout:30\n")  # where nobody is
    web = site.listen("fd00:1::2")
    daemon = site.start(workers=2, virtual="fd00:1::100", alpha="")
    try:
        site.comes(True, "not_checked_yet", "", "")
        assert site.count("quorum_lost") == 0
        site.comes(False, "name_not_resolved", "", "")
        wait_until(lambda: '"error": "no answer yet"' in site.log.read_text(), 5, "the log says why")
        assert daemon.stop() == 0  # with a thread in the C library
        site.say("fd00:1::2 web.example")
        daemon = site.start(workers=2, virtual="fd00:1::100", alpha="")
        site.comes(True, "check_succeeded", "fd00:1::2", "")
        site.serves("fd00:1::2", "fd00:1::3")
        site.say("fd00:1::3 web.example")
        site.comes(True, "check_succeeded", "fd00:1::2", "fd00:1::3")
        web.kill()
        site.comes(False, "connect_refused", "fd00:1::3", "")
        site.listen("fd00:1::3")
        site.comes(True, "check_succeeded", "fd00:1::3", "")
        site.serves("fd00:1::3", "fd00:1::2")
    finally:
        sys.stdout.write(site.log.read_text()[-9000:])
    assert daemon.stop() == 0
