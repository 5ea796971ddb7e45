"""Alert mail from the script helper: queued, and sent by a short-lived process without rights. Writes no subject.

keepalived opens a connection per mail, tried once (MAIL-1). Here what waits goes over one connection, tried once too.
At most `MOST_WAITING` wait; then the oldest is left out: the last state is what matters.
"""

from __future__ import annotations

import collections
import contextlib
import email.utils
import os
import resource
import signal
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence

from pyhad.common import privileges
from pyhad.common.config.model.alerts import MailSecurity, MailSettings
from pyhad.common.errors import KernelError
from pyhad.common.loop import Loop, Timer
from pyhad.common.scripts.orders import Mail

MOST_WAITING = 100
SUBJECT_MAX, BODY_MAX = 255, 511
"""MAIL-8."""
_STEPS = 8
"""Of a dialogue with one mail, each of which may take `timeout_ns`; whoever takes longer in all is killed."""
_REPORT_MAX = 4096
_MEMORY_MAX = 32 * 1024 * 1024
"""For the process that sends: a reply without an end shall not cost the machine more than that."""
_SENT, _NOT_SENT = 0, 1


class HelperMail:
    """The mails of one master. `warn(event, path, detail)` tells what did not go out."""

    def __init__(self, loop: Loop, warn: Callable[[str, str, str], None]) -> None:
        self.settings: MailSettings | None = None
        self._loop = loop
        self._warn = warn
        self._waiting: collections.deque[Mail] = collections.deque()
        self._left_out = 0
        self._pid = 0
        self._pidfd = -1
        self._report = -1
        self._timer: Timer | None = None

    @property
    def is_idle(self) -> bool:
        """Nothing waits and nothing is on its way."""
        return not self._pid and not self._waiting

    def put(self, mail: Mail) -> None:
        """Send it, or queue it behind what is being sent."""
        if self.settings is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._left_out += 1
        self._waiting.append(mail)
        if not self._pid:
            self._start(self.settings)

    def _start(self, settings: MailSettings) -> None:
        mails, self._waiting = tuple(self._waiting), collections.deque()
        reader, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            pid = os.fork()
        except OSError as error:
            os.close(reader)
            os.close(writer)
            self._warn("mail_not_sent", settings.host, str(error))
            return
        if pid == 0:
            _live(settings, mails, writer)
        os.close(writer)
        self._pid, self._report = pid, reader
        self._pidfd = os.pidfd_open(pid)
        self._loop.watch(self._pidfd, self._ended)
        self._timer = self._loop.after(settings.timeout_ns * (_STEPS + len(mails)), self._kill)

    def _kill(self) -> None:
        signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def _ended(self, _events: int) -> None:
        _, status = os.waitpid(self._pid, 0)
        self._loop.unwatch(self._pidfd)
        os.close(self._pidfd)
        if self._timer is not None:
            self._timer.cancel()
        try:
            said = os.read(self._report, _REPORT_MAX).decode("utf-8", "replace")
        except BlockingIOError:
            said = ""
        os.close(self._report)
        self._pid = 0
        host = self.settings.host if self.settings is not None else ""
        if status or said:
            self._warn("mail_not_sent", host, said or _end_of(status))
        if self._left_out:
            self._warn("mail_left_out", host, f"{self._left_out} mails: too many waited")
            self._left_out = 0
        if self.settings is None:  # a reload took away where mail goes
            self._waiting.clear()
        elif self._waiting:
            self._start(self.settings)


def _end_of(status: int) -> str:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        return "took too long" if number == signal.SIGKILL else f"ended by signal {number}"
    return f"exit status {os.waitstatus_to_exitcode(status)}"


def _live(settings: MailSettings, mails: Sequence[Mail], report: int) -> None:
    """The process that sends. Never returns."""
    code = _NOT_SENT
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        for entry in os.listdir("/proc/self/fd"):
            if int(entry) > 2 and int(entry) != report:
                try:
                    os.close(int(entry))
                except OSError:  # the one of the listing itself
                    pass
        privileges.set_process_name("pyhad_mail")
        _, uid, gid = privileges.service_account()
        if os.geteuid() == 0:
            privileges.drop(uid=uid, gid=gid)
            privileges.no_new_privileges()
        _limit_memory()
        problems = send(settings, mails)
        os.write(report, "; ".join(problems).encode("utf-8", "replace")[:_REPORT_MAX])
        code = _SENT
    except MemoryError:
        os.write(report, b"the server said too much")
    except (OSError, KernelError, smtplib.SMTPException, ValueError) as error:
        os.write(report, f"{error or type(error).__name__}".encode("utf-8", "replace")[:_REPORT_MAX])
    finally:
        os._exit(code)


def _limit_memory() -> None:
    with open("/proc/self/statm", "rb") as file:
        most = int(file.read().split()[0]) * resource.getpagesize() + _MEMORY_MAX
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def send(settings: MailSettings, mails: Sequence[Mail]) -> list[str]:
    """One connection, one dialogue for each mail; what was refused. Raises OSError and SMTPException."""
    sender = settings.sender or f"root@{socket.getfqdn()}"
    problems: list[str] = []
    relay = _connect(settings)
    try:
        for mail in mails:
            try:
                refused = relay.sendmail(sender, list(settings.recipients), message(settings, sender, mail))
            except smtplib.SMTPServerDisconnected:
                raise
            except smtplib.SMTPException as error:
                problems.append(f"{mail.subject}: {error}")
                continue
            problems += [f"{mail.subject}: {recipient} refused" for recipient in refused]
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError):  # what was taken is taken, whatever it says now
            relay.quit()
    return problems


def _connect(settings: MailSettings) -> smtplib.SMTP:
    timeout_s = settings.timeout_ns / 1e9
    helo = settings.helo or socket.getfqdn()
    if settings.security is MailSecurity.TLS:
        context = ssl.create_default_context()
        relay: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, helo, timeout=timeout_s, context=context)
    else:
        relay = smtplib.SMTP(settings.host, settings.port, helo, timeout=timeout_s)
    if settings.security is MailSecurity.STARTTLS:
        relay.starttls(context=ssl.create_default_context())
    if settings.user:
        relay.login(settings.user, settings.password)
    elif settings.security is MailSecurity.NONE:
        code, said = relay.helo(helo)  # MAIL-3
        if not 200 <= code <= 299:
            raise smtplib.SMTPHeloError(code, said)
    return relay


def message(settings: MailSettings, sender: str, mail: Mail) -> bytes:
    """MAIL-4: headers in keepalived's order, the body framed as there."""
    lines = (
        f"Date: {email.utils.formatdate(mail.at_s, localtime=True)}",
        f"From: {sender}",
        f"Subject: {_one_line(mail.subject)[:SUBJECT_MAX]}",
        "X-Mailer: Keepalived",
        f"To: {', '.join(settings.recipients)}",
        "",
        f"=> {_one_line(mail.body)[:BODY_MAX]} <=",
        "",
        "",
    )
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def _one_line(text: str) -> str:
    return text.replace("\r", " ").replace("\n", " ")
