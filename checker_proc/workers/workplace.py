"""One place among the checker's workers, whatever process fills it: its checks, its socket, its successor.

A worker's death changes no verdict: its successor begins with what was known of each check.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import assert_never

from pyhad.checker_proc.workers.remote import RemoteCheck
from pyhad.checker_proc.workers.worker_line import Line, pair
from pyhad.checker_proc.workers.worker_words import (
    FROM_WORKER,
    TALLY,
    Changed,
    Crashed,
    FromWorker,
    Material,
    NotMade,
    Remarked,
    Tally,
    ToWorker,
    TryFailed,
    Warns,
)
from pyhad.common.config.model import TlsClient
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.common.messages import WorkerStatus

PATIENCE_NS = 10_000_000_000
"""A worker says something every second; one that is silent for so long is killed. As long as the parent's patience."""
YOUNG_NS = 1_000_000_000
"""Two of one place are started no closer together."""


class Workplace:
    """Implements `remote.Sender`. `fork(number, end)` has a worker made that works on that end of a socket."""

    def __init__(
        self, number: int, loop: Loop, logger: FilteringBoundLogger, fork: Callable[[int, socket.socket], None]
    ) -> None:
        self.number = number
        self.checks: dict[int, RemoteCheck] = {}
        self._loop = loop
        self._logger = logger
        self._fork = fork
        self._material = TlsClient()
        self._line: Line | None = None
        self._tally = Tally(pid=0, in_flight=0, late_p99_ns=0, late_max_ns=0, cpu_ns=0, records=b"")
        self._pidfd = -1
        self._starts = 0
        self._started_ns = 0
        self._heard_ns = 0
        self._is_closed = False
        self.never_spoke = 0
        """So many workers, one after the other, were never heard of."""
        self.tries_failed = 0
        """Tries here, of all workers so far, that failed and changed nothing."""

    def open(self, material: TlsClient) -> None:
        """Begin with the first worker."""
        self._material = material
        self._start()

    def renew(self, material: TlsClient) -> None:
        """What SSL_GET shows may be another now."""
        if material != self._material:
            self._material = material
            self.send(Material(tls_client=material))

    def close(self) -> None:
        """Nobody works here any more."""
        self._is_closed = True
        self._leave()

    # ------------------------------------------------------------------------------------ to the worker

    def send(self, message: ToWorker) -> None:
        """As `Sender.send`."""
        if self._line is not None:
            self._line.send(message)

    def take_on(self, remote: RemoteCheck) -> None:
        """As `Sender.take_on`."""
        self.checks[remote.number] = remote

    def drop(self, remote: RemoteCheck) -> None:
        """As `Sender.drop`."""
        self.checks.pop(remote.number, None)

    def _start(self) -> None:
        if self._is_closed:
            return
        try:
            ours, theirs = pair()
        except OSError as error:  # what was known of its checks stays until there is one
            self._logger.error("worker_not_started", worker=self.number, error=str(error))
            self._loop.after(YOUNG_NS, self._start)
            return
        with theirs:
            self._fork(self.number, theirs)
        self._starts += 1
        self._started_ns = self._heard_ns = self._loop.now_ns()
        self._line = Line(self._loop, ours, FROM_WORKER, self._hear, self._lost)
        self._line.send(Material(tls_client=self._material))
        for remote in self.checks.values():
            self._line.send(remote.beginning())

    # ---------------------------------------------------------------------------------- from the worker

    def _hear(self, message: FromWorker) -> None:
        self._heard_ns = self._loop.now_ns()
        self.never_spoke = 0
        match message:
            case Tally():
                self._count(message)
            case Crashed():
                self._logger.error("worker_crashed", worker=self.number, error=message.error)
            case Changed() | TryFailed() | NotMade() | Remarked() | Warns():
                remote = self.checks.get(message.number)
                if remote is not None:
                    remote.take(message)
            case _:
                assert_never(message)

    def _count(self, tally: Tally) -> None:
        if self._pidfd < 0:
            try:
                self._pidfd = os.pidfd_open(tally.pid)
            except ProcessLookupError:  # it said so and died; its socket says that next
                return
            self._logger.info("worker_ready", worker=self.number, worker_pid=tally.pid, checks=len(self.checks))
        self._tally = tally
        self.tries_failed += tally.tries_failed
        for number, *counts in TALLY.iter_unpack(tally.records):
            remote = self.checks.get(number)
            if remote is not None:
                remote.count(*counts)

    # --------------------------------------------------------------------------------------------- death

    def look(self) -> None:
        """To be called now and then: a worker that hangs is killed, and that is heard of as of any death.

        One that never spoke is given up: when it comes after all, it finds its socket closed and ends.
        """
        if self._line is None or self._loop.now_ns() - self._heard_ns <= PATIENCE_NS:
            return
        self._logger.warning("worker_silent", worker=self.number, worker_pid=self._tally.pid)
        if self._pidfd < 0:
            self.never_spoke += 1
            self._lost()
        else:
            self._kill()
            self._heard_ns = self._loop.now_ns()

    def _lost(self) -> None:
        pid = self._tally.pid
        self._leave()
        self._logger.warning("worker_lost", worker=self.number, worker_pid=pid, checks=len(self.checks))
        self._loop.at(max(self._loop.now_ns(), self._started_ns + YOUNG_NS), self._start)

    def _leave(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        self._tally = Tally(pid=0, in_flight=0, late_p99_ns=0, late_max_ns=0, cpu_ns=0, records=b"")

    def _kill(self) -> None:
        try:
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        except ProcessLookupError:  # gone already: its socket says so
            pass

    # -------------------------------------------------------------------------------------------- status

    def status(self) -> WorkerStatus:
        """As it is now."""
        return WorkerStatus(
            number=self.number,
            pid=self._tally.pid,
            checks=len(self.checks),
            in_flight=self._tally.in_flight,
            restarts=max(0, self._starts - 1),
            silent_ns=self._loop.now_ns() - self._heard_ns,
            late_p99_ns=self._tally.late_p99_ns,
            late_max_ns=self._tally.late_max_ns,
            cpu_ns=self._tally.cpu_ns,
        )
