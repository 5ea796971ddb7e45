"""All workers of the checker: how many there are, and whose each check is (core/sharing.py decides both)."""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Callable

from pyhad.checker_proc.core.schedule import fingerprint, identity_of
from pyhad.checker_proc.core.sharing import is_shared, worker_of, workers_for
from pyhad.checker_proc.nursery import Nursery
from pyhad.checker_proc.running import Listener
from pyhad.checker_proc.workers.remote import RemoteCheck
from pyhad.checker_proc.workers.workplace import Workplace
from pyhad.common.config.model import Check, CheckerDocument, TlsClient
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop
from pyhad.common.messages import WorkerStatus

LOOK_NS = 1_000_000_000
NEVER_SPOKE = 2
"""So many workers of one place that never speak, one after the other, and it is the nursery that hangs."""


def workers_of(document: CheckerDocument) -> int:
    """How many workers this configuration is to have on this machine."""
    checks = {(check, server.name) for server in document.servers for check in server.checks}
    return workers_for(document.workers, [check for check, _ in checks], len(os.sched_getaffinity(0)))


class Workforce:
    """`nursery`: None where there is none, then there are no workers. `on_lost`: it is gone, and there is no other."""

    def __init__(
        self, nursery: Nursery | None, loop: Loop, logger: FilteringBoundLogger, on_lost: Callable[[], None]
    ) -> None:
        self._nursery = nursery
        self._loop = loop
        self._logger = logger
        self._on_lost = on_lost
        self._places: list[Workplace] = []
        self._failed_before = 0
        """Tries of places that there are no more: a counter never falls."""
        self._numbers = itertools.count(1)
        if nursery is not None:
            loop.every(LOOK_NS, self.look)

    def follow(self, workers: int, material: TlsClient) -> bool:
        """Have so many workers from now on. False when there is nobody to fork them: the next checker will have."""
        if workers and self._nursery is None:
            return False
        for place in self._places[workers:]:
            place.close()
            self._failed_before += place.tries_failed
        del self._places[workers:]
        for place in self._places:
            place.renew(material)
        while len(self._places) < workers:
            place = Workplace(len(self._places) + 1, self._loop, self._logger, self._fork)
            self._places.append(place)
            place.open(material)
        return True

    def wants(self, check: Check) -> bool:
        """A worker is to run it."""
        return bool(self._places) and is_shared(check)

    def keeps(self, remote: RemoteCheck) -> bool:
        """It is still where it is to be."""
        return bool(self._places) and self._place_of(remote.machine.mark).checks.get(remote.number) is remote

    def check(self, check: Check, listener: Listener) -> RemoteCheck | None:
        """A check for a worker to run; None: it is for the checker itself."""
        if not self.wants(check):
            return None
        place = self._place_of(fingerprint(identity_of(check)))
        return RemoteCheck(next(self._numbers), check, place, listener)

    def close(self) -> None:
        """They end."""
        for place in self._places:
            place.close()

    def status(self) -> tuple[WorkerStatus, ...]:
        """Each as it is now."""
        return tuple(place.status() for place in self._places)

    @property
    def tries_failed(self) -> int:
        """Of all workers that there ever were."""
        return self._failed_before + sum(place.tries_failed for place in self._places)

    def _place_of(self, mark: int) -> Workplace:
        return self._places[worker_of(mark, len(self._places))]

    def _fork(self, number: int, end: socket.socket) -> None:
        assert self._nursery is not None
        try:
            socket.send_fds(self._nursery.channel, [b"%d" % number], [end.fileno()])
        except OSError as error:  # without a nursery no worker can be replaced: our successor comes with another
            self._logger.error("nursery_lost", error=str(error))
            self._on_lost()

    def look(self) -> None:
        """To be called now and then: who hangs is found."""
        for place in self._places:
            place.look()
        if self._nursery is not None and any(place.never_spoke >= NEVER_SPOKE for place in self._places):
            self._logger.error("nursery_silent")
            self._nursery.kill()
            self._on_lost()
