"""Mails: how they look, how many wait, and what a refusing or dead relay does."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from pyhad.common.config.model.alerts import MailSettings
from pyhad.common.loop import Loop
from pyhad.common.scripts.mail import HelperMail, message, send
from pyhad.common.scripts.orders import Mail

FIRST = Mail(
    subject="[R1] VRRP Instance V - Entering MASTER state", body="VRRP Instance is now owning VRRP VIPs", at_s=0
)


class Relay:
    """A mail server that says yes, but refuses `refused` and is silent when told so."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.said: list[str] = []
        self.mails: list[str] = []
        self.refused = "nobody@example.org"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection, connection.makefile("rwb", 0) as stream:
                stream.write(b"220 relay\r\n")
                while line := stream.readline():
                    self._answer(stream.write, stream.readline, line.decode().strip())

    def _answer(self, say: Callable[[bytes], object], read: Callable[[], bytes], line: str) -> None:
        self.said.append(line)
        if line == "data":
            say(b"354 go on\r\n")
            body = b""
            while not body.endswith(b"\r\n.\r\n"):
                body += read()
            self.mails.append(body.decode())
        say(b"550 no\r\n" if self.refused in line else b"250 yes\r\n")

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def relay() -> Iterator[Relay]:
    one = Relay()
    yield one
    one.close()


def settings(port: int, *recipients: str) -> MailSettings:
    return MailSettings(
        host="127.0.0.1", port=port, sender="k@example.org", helo="node", timeout_ns=2_000_000_000,
        recipients=recipients or ("a@example.org", "b@example.org"),
    )  # fmt: skip


@pytest.mark.behaviour("MAIL-4", "MAIL-8")
def test_a_mail_has_keepalived_s_headers_in_keepalived_s_order() -> None:
    lines = message(settings(25), "k@example.org", FIRST).decode().split("\r\n")
    assert lines[0].startswith("Date: Thu, 01 Jan 1970 ")
    assert lines[1:] == [
        "From: k@example.org", "Subject: [R1] VRRP Instance V - Entering MASTER state", "X-Mailer: Keepalived",
        "To: a@example.org, b@example.org", "", "=> VRRP Instance is now owning VRRP VIPs <=", "", "",
    ]  # fmt: skip
    long = Mail(subject="s" * 300 + "\r\nBcc: x", body="b" * 600, at_s=0)
    text = message(settings(25), "k@example.org", long).decode()
    assert f"Subject: {'s' * 255}\r\n" in text
    assert f"=> {'b' * 511} <=" in text


def test_a_subject_cannot_add_a_header() -> None:
    evil = Mail(subject="x\r\nBcc: y@example.org", body="\n.\r\n", at_s=0)
    assert "\r\nBcc" not in message(settings(25), "k@example.org", evil).decode()


@pytest.mark.behaviour("MAIL-3")
def test_several_mails_go_over_one_connection_in_keepalived_s_dialogue(relay: Relay) -> None:
    second = Mail(subject="two", body="2", at_s=0)
    assert send(settings(relay.port), [FIRST, second]) == []
    dialogue = ["mail FROM:<k@example.org>", "rcpt TO:<a@example.org>", "rcpt TO:<b@example.org>", "data"]
    assert relay.said == ["helo node", *dialogue, *dialogue, "quit"]
    assert [mail.split("Subject: ")[1].split("\r\n")[0] for mail in relay.mails] == [FIRST.subject, "two"]


def test_a_refused_recipient_is_said_and_the_others_get_it(relay: Relay) -> None:
    assert send(settings(relay.port, "a@example.org", "nobody@example.org"), [FIRST]) == [
        f"{FIRST.subject}: nobody@example.org refused"
    ]
    assert len(relay.mails) == 1


class Bench:
    def __init__(self, port: int) -> None:
        self.loop = Loop()
        self.warned: list[tuple[str, str, str]] = []
        self.mail = HelperMail(self.loop, lambda *words: self.warned.append(words))
        self.mail.settings = settings(port)

    def until_idle(self) -> None:
        end_ns = self.loop.now_ns() + 10_000_000_000
        while not self.mail.is_idle and self.loop.now_ns() < end_ns:
            self.loop.turn(0.05)
        assert self.mail.is_idle


@pytest.mark.skipif(os.geteuid() != 0, reason="gives rights up")
def test_a_helper_sends_in_a_process_of_its_own_and_what_waits_together(relay: Relay) -> None:
    bench = Bench(relay.port)
    for number in range(5):
        bench.mail.put(Mail(subject=str(number), body="x", at_s=0))
    bench.until_idle()
    assert bench.warned == []
    assert len(relay.mails) == 5
    assert relay.said.count("helo node") == 2


def test_a_relay_that_is_not_there_is_said_once_for_all_that_waited() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    bench = Bench(port)
    bench.mail.put(FIRST)
    bench.until_idle()
    [(event, host, detail)] = bench.warned
    assert (event, host) == ("mail_not_sent", "127.0.0.1")
    assert "refused" in detail


def test_of_too_many_the_oldest_are_left_out_and_counted(relay: Relay) -> None:
    bench = Bench(relay.port)
    for number in range(104):
        bench.mail.put(Mail(subject=f"number {number}", body="x", at_s=0))
    bench.until_idle()
    assert bench.warned == [("mail_left_out", "127.0.0.1", "3 mails: too many waited")]
    sent = [mail.split("Subject: ")[1].split("\r\n")[0] for mail in relay.mails]
    assert sent == ["number 0", *(f"number {number}" for number in range(4, 104))]


def test_without_settings_nothing_is_sent() -> None:
    bench = Bench(1)
    bench.mail.settings = None
    bench.mail.put(FIRST)
    assert bench.mail.is_idle


def test_what_waits_when_there_is_no_relay_any_more_is_not_waited_for(relay: Relay) -> None:
    """A helper stays as long as it has something to send."""
    bench = Bench(relay.port)
    bench.mail.put(FIRST)
    bench.mail.put(FIRST)
    bench.mail.settings = None
    bench.until_idle()
    assert len(relay.mails) == 1


def test_a_reply_without_an_end_costs_the_one_connection() -> None:
    def pour() -> None:
        connection = listener.accept()[0]
        with connection, contextlib.suppress(OSError):
            while True:
                connection.sendall(b"220-welcome to a relay that cannot stop talking\r\n" * 1000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=pour)
        thread.start()
        bench = Bench(listener.getsockname()[1])
        bench.mail.put(FIRST)
        bench.until_idle()
        thread.join(10)
    assert bench.warned == [("mail_not_sent", "127.0.0.1", "the server said too much")]
