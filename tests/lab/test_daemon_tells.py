"""The whole daemon tells what became of servers: lines of lvs_notify_fifo byte for byte, mail through real servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.net import Lab, Running, wait_until
from tests.lab.tools import needs_smtpd, smtpd

pytestmark = [
    pytest.mark.lab,
    needs_smtpd,
]

CONFIG = """
global_defs {{
    router_id d1
    lvs_notify_fifo {folder}/fifo root
    notification_email {{
        keeper@mx.example
    }}
    notification_email_from d1@example.org
    smtp_server 10.1.0.2
    smtp_helo_name d1.example
    {words}
}}
virtual_server 10.1.0.100 80 {{
    delay_loop 0.3
    warmup 0
    delay_before_retry 0.1
    lb_algo rr
    lb_kind NAT
    protocol TCP
    smtp_alert
    quorum_up "/bin/true"
    quorum_down "/bin/true"
    real_server 10.1.0.2 8001 {{
        TCP_CHECK {{
            retry 0
        }}
    }}
}}
"""
OPENSMTPD = """
table keepers {{ "keeper@mx.example" = "nobody" }}
action "keep" maildir "{folder}/mail" virtual <keepers>
match from any for domain "mx.example" action "keep"
listen on 10.1.0.2 port 25 hostname mx.example
"""


@pytest.fixture
def pair(lab: Lab) -> Lab:
    for name in ("d1", "web"):
        lab.host(name)
    lab.wire("d1", "eth0", "lan", "10.1.0.1/24")
    lab.wire("web", "eth0", "lan", "10.1.0.2/24")
    return lab


def until_open(lab: Lab, port: int) -> None:
    wait_until(lambda: f"10.1.0.2:{port}" in lab.run("web", "ss", "-Hltn"), 15, f"somebody listens at {port}")


def serve(lab: Lab) -> Running:
    server = lab.start("web", sys.executable, "-m", "http.server", "8001", "--bind", "10.1.0.2")
    until_open(lab, 8001)
    return server


class Told:
    """The daemon with its FIFO read, and what came out of it."""

    def __init__(self, lab: Lab, folder: Path, words: str = "", environment: dict[str, str] | None = None) -> None:
        os.mkfifo(folder / "fifo", 0o600)
        self._lines = os.open(folder / "fifo", os.O_RDONLY | os.O_NONBLOCK)
        self._text = b""
        (folder / "d1.conf").write_text(CONFIG.format(folder=folder, words=words))
        self.log = folder / "d1.log"
        pyhad = str(Path(sys.executable).with_name("pyhad"))
        self.daemon = lab.start(
            "d1", pyhad, "--dont-fork", "--log-console", "--no-syslog", "--use-file", f"{folder}/d1.conf",
            "--run-dir", f"{folder}/run", log=self.log, environment=environment,
        )  # fmt: skip

    def lines(self) -> list[str]:
        try:
            self._text += os.read(self._lines, 65_536)
        except BlockingIOError:
            pass
        return self._text.decode().splitlines()

    def stop(self) -> None:
        assert self.daemon.stop() == 0
        os.close(self._lines)


RS, VS = "RS [10.1.0.2]:tcp:8001 [10.1.0.100]:tcp:80", "VS [10.1.0.100]:tcp:80"
SUBJECTS = [
    "[d1] Realserver [10.1.0.2]:tcp:8001 of virtual server [10.1.0.100]:tcp:80 - DOWN",
    "[d1] Realserver [10.1.0.2]:tcp:8001 of virtual server [10.1.0.100]:tcp:80 - UP",
    "[d1] Virtualserver [10.1.0.100]:tcp:80 - DOWN",
    "[d1] Virtualserver [10.1.0.100]:tcp:80 - UP",
]


def fall_and_rise(lab: Lab, told: Told, server: Running) -> None:
    """The server dies and comes back; each line of it comes once."""
    wait_until(lambda: told.lines()[:1] == [f"{VS} UP"], 15, "the service has its quorum")
    wait_until(lambda: "check_succeeded" in told.log.read_text(), 10, "the server was tested")
    before = len(told.lines())
    server.signal(signal.SIGTERM)
    wait_until(lambda: f"{VS} DOWN" in told.lines()[before:], 10, "the FIFO says that the quorum is lost")
    serve(lab)
    wait_until(lambda: f"{VS} UP" in told.lines()[before:], 10, "the FIFO says that it is back")
    assert sorted(told.lines()[before:]) == [f"{RS} DOWN", f"{RS} UP", f"{VS} DOWN", f"{VS} UP"]


def test_lines_of_the_fifo_and_mail_through_opensmtpd(pair: Lab, open_folder: Path) -> None:
    (open_folder / "mail").mkdir()
    shutil.chown(open_folder / "mail", "nobody", "nogroup")
    (open_folder / "smtpd.conf").write_text(OPENSMTPD.format(folder=open_folder))
    pair.start("web", *smtpd(open_folder / "smtpd.conf"), log=open_folder / "smtpd.log")
    until_open(pair, 25)
    server = serve(pair)
    told = Told(pair, open_folder)
    try:
        fall_and_rise(pair, told, server)

        def mails() -> list[str]:
            return [path.read_text() for path in (open_folder / "mail/new").glob("*")]

        wait_until(lambda: subjects_of(mails()) >= set(SUBJECTS), 15, "every mail is in the mailbox")
        assert all("X-Mailer: " in mail and "To: keeper@mx.example" in mail for mail in mails())
        told.stop()
    finally:
        sys.stdout.write(told.log.read_text()[-4000:] + (open_folder / "smtpd.log").read_text()[-2000:])


def test_mail_goes_through_starttls_with_a_login(pair: Lab, open_folder: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=10.1.0.2", "-addext", "subjectAltName=IP:10.1.0.2", "-keyout", open_folder / "key",
         "-out", open_folder / "cert"],
        check=True, capture_output=True,
    )  # fmt: skip
    kept = open_folder / "kept"
    kept.touch()
    files = (f"{open_folder}/cert", f"{open_folder}/key", str(kept))
    pair.start("web", sys.executable, "-m", "tests.lab.mail_server", "10.1.0.2", *files)
    until_open(pair, 25)
    server = serve(pair)
    words = 'pyhad_smtp_security starttls\n    pyhad_smtp_login director "very secret"'
    told = Told(pair, open_folder, words, {"SSL_CERT_FILE": f"{open_folder}/cert"})
    try:
        fall_and_rise(pair, told, server)
        wait_until(lambda: subjects_of([kept.read_text()]) >= set(SUBJECTS), 15, "every mail came")
        text = kept.read_text()
        assert text.count("login director\n") == text.count("tls True\n") == text.count("Subject: ") >= 4
        assert "very secret" not in told.log.read_text()
        told.stop()
    finally:
        sys.stdout.write(told.log.read_text()[-4000:])


def subjects_of(mails: list[str]) -> set[str]:
    return {
        line.removeprefix("Subject: ") for mail in mails for line in mail.splitlines() if line.startswith("Subject: ")
    }
