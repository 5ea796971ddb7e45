"""Becoming the installed program: its trial, and the `execve` that keeps the children. Decides nothing."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import pyhad
from pyhad.common.codec import encode
from pyhad.common.lifeline import write_memfd
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer
from pyhad.common.pulse import LAYOUT
from pyhad.common.states import ProcessName
from pyhad.parent import baton
from pyhad.parent.children import Children
from pyhad.parent.compiler import Documents
from pyhad.parent.scheduling import Scheduler
from pyhad.parent.setup import Setup
from pyhad.parent.systemd import ServiceManager
from pyhad.parent.trial import Trial, command_line


class Upgrade:
    """`on_tried(fits)` says how the trial, or the attempt to become the program, ended."""

    def __init__(
        self,
        loop: Loop,
        setup: Setup,
        *,
        manager: ServiceManager,
        scheduler: Scheduler,
        logger: FilteringBoundLogger,
        on_tried: Callable[[bool], None],
    ) -> None:
        self.report = ""
        """What the trial had to say, for a person."""
        self._loop = loop
        self._setup = setup
        self._manager = manager
        self._scheduler = scheduler
        self._logger = logger
        self._on_tried = on_tried

    def try_program(self) -> None:
        """Start the trial."""
        self._logger.info("upgrade_tried", program=" ".join(command_line()))
        try:
            trial = Trial(self._setup.folder, dict(os.environ), self._setup.log)
        except OSError as error:
            self._refuse(f"the installed program cannot be started: {error.strerror}\n")
            return
        limit = self._loop.at(trial.limit_at_ns, trial.kill)
        self._loop.watch(trial.pidfd, lambda _events: self._tried(trial, limit))

    def _tried(self, trial: Trial, limit: Timer) -> None:
        limit.cancel()
        self._loop.unwatch(trial.pidfd)
        fits, self.report = trial.outcome()
        if fits:
            self._on_tried(True)
        else:
            self._refuse(self.report)

    def _refuse(self, report: str) -> None:
        self.report = report
        self._logger.error("upgrade_refused", report=report)
        self._on_tried(False)

    def become(self, children: Children, documents: Documents) -> None:
        """Does not return, unless the program cannot be executed."""
        left = _baton(self._setup, self._manager, children, documents)
        fd = baton.write(left)
        old_mask = signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())  # they wait for the successor
        folder = os.getcwd()
        self._manager.away()
        self._scheduler.rest()  # a program that starts computes, and the adverts go out meanwhile
        try:
            os.chdir(self._setup.folder)
            os.execve(sys.executable, command_line(), {**os.environ, baton.VARIABLE: str(fd)})  # noqa: S606
        except OSError as error:
            self._scheduler.resume()
            self._manager.back()
            os.close(fd)
            os.close(left.documents[ProcessName.PARENT])
            os.chdir(folder)
            for kept in set(left.descriptors()) - {left.documents[ProcessName.PARENT]}:
                os.set_inheritable(kept, False)
            signal.pthread_sigmask(signal.SIG_SETMASK, old_mask)
            self._refuse(f"the installed program cannot be executed: {error.strerror}\n")


def _baton(setup: Setup, manager: ServiceManager, children: Children, documents: Documents) -> baton.Baton:
    parent = write_memfd("pyhad_parent", encode(documents.parent))
    return baton.Baton(
        version=pyhad.__version__,
        lock=setup.run_dir.lock_fd,
        generation=documents.parent.generation,
        pulse=children.shared.pulse_fd,
        pulse_layout=LAYOUT,
        environment=manager.environment,
        listeners={name: made.fileno() for name, made in setup.run_dir.listeners.items()},
        boxes=children.shared.left_boxes(),
        children=children.left(),
        icmp=children.left_icmp(),
        home_namespace=setup.home_namespace,
        documents={str(ProcessName.PARENT): parent, **{str(name): fd for name, fd in documents.fds.items()}},
    )
