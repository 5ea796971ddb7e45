"""The process that runs scripts for its master, the VRRP process or the checker, which gave the rights for it up.

It keeps root's rights, and touches neither network nor state. Forked by its master before that gives its rights up
(docs/decisions/0006). It does what comes over one socket. At the end of that (an orderly stop, or a death) it ends
checks and readers of FIFOs, lets what tells of a change come to its end, and goes.
"""

from __future__ import annotations

import os
import signal
import socket
from typing import assert_never

from pyhad.common import privileges
from pyhad.common.codec import encode
from pyhad.common.config.model.tracking import Program
from pyhad.common.errors import WireError
from pyhad.common.loop import Loop
from pyhad.common.scripts.catalogue import Catalogue, catalogue_from
from pyhad.common.scripts.fifos import HelperFifos
from pyhad.common.scripts.files import HelperFiles
from pyhad.common.scripts.ledger import exchange, put, settle
from pyhad.common.scripts.mail import HelperMail
from pyhad.common.scripts.orders import (
    MOST_BYTES,
    ORDERS,
    Adopt,
    Answer,
    Cancel,
    Check,
    CloseFifo,
    Ended,
    Finish,
    Finished,
    Follow,
    FollowProcesses,
    KeepLedger,
    LedgerFound,
    Mail,
    OpenFifo,
    Order,
    Rules,
    Tell,
    TimedOut,
    Trouble,
)
from pyhad.common.scripts.processes import HelperProcesses
from pyhad.common.scripts.queue import ScriptQueue
from pyhad.common.scripts.run import NOT_RUN, Outcome, Run, Runner
from pyhad.common.title import set_title, title_of

_DATAGRAMS_PER_TURN = 64
_BUFFER_BYTES = 4 * 1024 * 1024
_SO_SNDBUFFORCE = 32
_DEAF_TO = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def fork_helper(catalogue: Catalogue | None = None) -> socket.socket:
    """Fork it and return our end of the socket. Call before any right is given up and any descriptor is opened.

    With a `catalogue` it does nothing but what that names.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    for end in (ours, theirs):
        try:
            end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _BUFFER_BYTES)
        except PermissionError:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
    try:
        pid = os.fork()
    except OSError:  # without scripts is better than not at all: the other side finds it gone
        theirs.close()
        return ours
    if pid == 0:
        code = 70
        try:
            _live(theirs, catalogue)
            code = 0
        finally:
            os._exit(code)
    theirs.close()
    return ours


def _live(channel: socket.socket, catalogue: Catalogue | None) -> None:
    privileges.set_process_name("pyhad_scripts")
    set_title(title_of("scripts", ""))
    for number in _DEAF_TO:  # the end of the socket is what ends it
        signal.signal(number, lambda _number, _frame: None)  # what is ignored would be so for every script
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) > 2 and int(entry) != channel.fileno():
            try:
                os.close(int(entry))
            except OSError:  # the one of the listing itself
                pass
    if os.geteuid() == 0:
        os.setgroups([])
    Helper(Loop(), channel, catalogue).run()


class Helper:
    """Does the orders that come over `channel` until it ends; with a `catalogue` those that it allows."""

    def __init__(self, loop: Loop, channel: socket.socket, catalogue: Catalogue | None = None) -> None:
        self._loop = loop
        self._channel = channel
        self._runner = Runner(loop, self._warn)
        self._mail = HelperMail(loop, self._warn)
        self._catalogue = catalogue
        self._outgoing: Catalogue | None = None
        """The one before: what it named is told that it goes."""
        if catalogue is not None:
            self._follow_rules(catalogue.rules)
        self._queue: ScriptQueue[tuple[Program, int]] = ScriptQueue()
        self._checks: dict[int, Run] = {}
        self._fifos = HelperFifos(self._runner, self._answer)
        self._files = HelperFiles(loop, self._answer)
        self._processes = HelperProcesses(loop, self._answer)
        self._is_open = True
        self._wants_finish = False
        loop.watch(channel.fileno(), self._read)

    def run(self) -> None:
        """Until there is nobody to serve and nothing to wait for."""
        while self._is_open or not self._queue.is_idle or self._runner.running or not self._mail.is_idle:
            self._loop.turn(-1)

    # ------------------------------------------------------------------------------------------ orders

    def _read(self, _events: int) -> None:
        for _ in range(_DATAGRAMS_PER_TURN):
            try:
                frame, descriptors, _, _ = socket.recv_fds(self._channel, MOST_BYTES, 1)
            except BlockingIOError:
                return
            except OSError:
                frame, descriptors = b"", []
            if not frame:
                self._end()
                return
            try:
                order: Order = ORDERS.decode(frame)
            except WireError as error:
                self._warn("script_order_refused", "", str(error))
            else:
                if self._permit(order, descriptors):
                    self._obey(order, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)

    def _permit(self, order: Order, descriptors: list[int]) -> bool:
        """Whether to obey: where there is a catalogue, it has to name what is asked for."""
        if self._catalogue is None:
            return True
        if isinstance(order, Adopt):
            self._adopt(self._catalogue, descriptors)
            return True
        if self._catalogue.allows(order) or (self._outgoing is not None and self._outgoing.allows(order)):
            return True
        self._warn("script_order_refused", "", f"the configuration does not name this: {type(order).__name__}")
        if isinstance(order, Check):
            self._answer(Ended(ticket=order.ticket, status=NOT_RUN, detail="the configuration does not name it"))
        return False

    def _adopt(self, before: Catalogue, descriptors: list[int]) -> None:
        try:
            adopted = catalogue_from(descriptors[0] if descriptors else -1)
        except WireError as error:
            self._warn("script_order_refused", "", str(error))
            return
        if adopted.generation < before.generation:
            self._warn("script_order_refused", "", "an older configuration")
            return
        self._outgoing, self._catalogue = before, adopted
        self._follow_rules(adopted.rules)

    def _follow_rules(self, rules: Rules) -> None:
        self._runner.rules = rules
        self._mail.settings = rules.mail

    def _obey(self, order: Order, descriptors: list[int]) -> None:
        match order:
            case Rules():
                self._follow_rules(order)
            case Check():
                self._check(order)
            case Cancel():
                self._cancel(order.ticket)
            case Tell():
                self._queue.put(order.key, tuple((program, order.timeout_ns) for program in order.programs))
                self._start(order.key, self._queue.next_of(order.key))
            case Follow():
                self._files.follow(order)
            case FollowProcesses():
                self._processes.follow(order)
            case OpenFifo():
                self._fifos.open(order.fifo)
            case CloseFifo():
                self._fifos.close(order.path)
            case Mail():
                self._mail.put(order)
            case Adopt():
                pass
            case KeepLedger():
                self._keep_ledger(order, descriptors)
            case Finish():
                self._wants_finish = True
                self._say_finished()
            case _:
                assert_never(order)

    def _keep_ledger(self, order: KeepLedger, descriptors: list[int]) -> None:
        descriptor, unread = descriptors[0] if descriptors else -1, b""
        try:
            if order.asks:
                unread = exchange(order.path, descriptor)
            else:
                put(order.path, descriptor)
            if order.settles:
                settle(order.path)
            if unread:
                self._answer_found(unread)
        except OSError as error:
            self._warn("ledger_not_written", order.path, error.strerror or "")

    def _answer_found(self, unread: bytes) -> None:
        copy = os.memfd_create("ledger", os.MFD_CLOEXEC)
        try:
            os.write(copy, unread)
            self._answer(LedgerFound(), (copy,))
        finally:
            os.close(copy)

    def _end(self) -> None:
        """The VRRP process is gone."""
        self._is_open = False
        self._loop.unwatch(self._channel.fileno())
        for run in list(self._checks.values()):
            run.terminate()
        self._fifos.end_readers()

    # ------------------------------------------------------------------------------------------ running

    def _check(self, order: Check) -> None:
        def ended(outcome: Outcome) -> None:
            self._checks.pop(order.ticket, None)
            self._answer(
                Ended(
                    ticket=order.ticket, status=outcome.status, timed_out=outcome.timed_out, detail=outcome.detail
                )
            )  # fmt: skip

        run = self._runner.start(order.program, order.timeout_ns, ended)
        if run is not None:
            run.on_timeout = lambda: self._answer(TimedOut(ticket=order.ticket))
            self._checks[order.ticket] = run

    def _cancel(self, ticket: int) -> None:
        """Who asks about a run that is over did not hear of its end."""
        run = self._checks.get(ticket)
        if run is not None:
            run.terminate()
        else:
            self._answer(Ended(ticket=ticket, status=NOT_RUN, detail="it is over"))

    def _start(self, key: str, job: tuple[Program, int] | None) -> None:
        """Runs of one key follow each other; one that cannot be started is over at once."""
        if job is None:
            self._say_finished()
            return
        program, timeout_ns = job

        def ended(outcome: Outcome) -> None:
            if outcome.detail or outcome.timed_out:
                detail = outcome.detail or "took too long"
                self._warn("notify_script_failed", program.argv[0], detail)
            elif outcome.status:
                self._warn("notify_script_failed", program.argv[0], f"exit status {outcome.status}")
            self._start(key, self._queue.ended(key))

        self._runner.start(program, timeout_ns, ended)

    # ------------------------------------------------------------------------------------------ answers

    def _say_finished(self) -> None:
        if self._wants_finish and self._queue.is_idle:
            self._answer(Finished())

    def _warn(self, event: str, path: str, detail: str) -> None:
        self._answer(Trouble(event=event, path=path, detail=detail))

    def _answer(self, answer: Answer, descriptors: tuple[int, ...] = ()) -> None:
        if not self._is_open:
            return
        try:
            socket.send_fds(self._channel, [encode(answer)], list(descriptors))
        except OSError:  # full or gone: a check without an answer counts as timed out there
            pass
