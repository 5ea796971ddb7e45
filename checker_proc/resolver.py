"""Looks up the names of real servers in threads of its own, since a lookup may block. Decides nothing about servers.

The threads have the rights of the process: none. One lookup of a name at a time, and a few names at once; names whose
lookup failed last time, which may take long to fail again, never have more than half of the threads.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping

from pyhad.checker_proc.core.names import Name, rank, usable
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.loop import Loop, Timer

RETRY_NS = 5_000_000_000
"""After a failure."""
PATIENCE_NS = 3_000_000_000
"""A name never known counts as asked for in vain when the first answer takes longer; the answer still counts."""
_THREADS = 16
_STACK_BYTES = 1024 * 1024
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
_Answer = tuple[Name, list[str], str]
Lookup = Callable[[Name], list[str]]
"""The addresses of a name. May block. Raises `OSError`, `UnicodeError`."""


def look_up(name: Name) -> list[str]:
    """By the C library, as the machine is configured. Raises also when no server can be at what it found."""
    found = [str(one[4][0]) for one in socket.getaddrinfo(name[0], None, _FAMILIES[name[1]], socket.SOCK_STREAM)]
    kept = usable(found)
    if found and not kept:
        raise OSError(f"no address that a server can have: {', '.join(found)[:200]}")
    return kept


class Resolver:
    """`known` holds the addresses: none for a name asked for in vain. `on_change` is called when they are others."""

    def __init__(
        self,
        loop: Loop,
        logger: FilteringBoundLogger,
        remembered: Mapping[Name, str],
        on_change: Callable[[], None],
        lookup: Lookup = look_up,
    ) -> None:
        self._loop = loop
        self._logger = logger
        self._remembered: dict[Name, tuple[str, ...]] = {name: (address,) for name, address in remembered.items()}
        self._on_change = on_change
        self._lookup = lookup
        self.known: dict[Name, tuple[str, ...]] = {}
        self._wanted: frozenset[Name] = frozenset()
        self._waiting: dict[Name, Timer] = {}
        """For the next time."""
        self._queued: tuple[OrderedDict[Name, None], OrderedDict[Name, None]] = (OrderedDict(), OrderedDict())
        """For a thread: those that were found last time or were never asked for, and those that were not found."""
        self._under_way: dict[Name, bool] = {}
        """With a thread; true: it was not found last time."""
        self._again: set[Name] = set()
        """Of those with a thread: to be asked for anew at once."""
        self._failing: set[Name] = set()
        self._interval_ns = 0
        self._questions: queue.SimpleQueue[Name] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[_Answer] = queue.SimpleQueue()
        self._threads = 0
        self._bell = -1

    def follow(self, names: frozenset[Name], interval_ns: int) -> None:
        """Look these up, now and again and again, and no others."""
        new = names - self._wanted
        self._wanted, self._interval_ns = names, interval_ns
        self._remembered.update(self.known)  # a name that is taken out may come back
        self.known = {name: addresses for name, addresses in self.known.items() if name in names}
        self._failing &= names
        for queued in self._queued:
            for name in queued.keys() - names:
                del queued[name]
        for name in self._waiting.keys() - names:
            self._waiting.pop(name).cancel()
        for name in sorted(new):
            if addresses := self._remembered.get(name):
                self.known[name] = addresses
        if new - self.known.keys():
            self._loop.after(PATIENCE_NS, lambda: self._lose_patience(new))
        for name in sorted(names):
            self._ask(name)

    def _ask(self, name: Name) -> None:
        if name in self._under_way:
            self._again.add(name)
            return
        if (timer := self._waiting.pop(name, None)) is not None:
            timer.cancel()
        self._queued[name in self._failing].setdefault(name)
        self._give()

    def _give(self) -> None:
        """Questions to threads, as many as there may be."""
        good, bad = self._queued
        while len(self._under_way) < _THREADS:
            if good:
                name, was_failing = good.popitem(last=False)[0], False
            elif bad and sum(self._under_way.values()) < _THREADS // 2:
                name, was_failing = bad.popitem(last=False)[0], True
            else:
                return
            if not self._have_thread():
                self._put_back(name)
                return
            self._under_way[name] = was_failing
            self._questions.put(name)

    def _have_thread(self) -> bool:
        """One for each that is under way, and one more."""
        if self._bell < 0:
            self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._loop.watch(self._bell, self._hear)
        if self._threads > len(self._under_way):
            return True
        threading.stack_size(_STACK_BYTES)
        try:
            threading.Thread(target=self._work, name="resolver", daemon=True).start()
        except (RuntimeError, MemoryError) as error:  # the machine has no more: those that there are go on
            self._logger.error("resolver_thread_refused", error=str(error), threads=self._threads)
            return False
        self._threads += 1
        return True

    def _put_back(self, name: Name) -> None:
        if self._under_way:
            self._queued[name in self._failing][name] = None  # whoever answers next makes room
        else:
            self._wait(name, RETRY_NS)

    def _work(self) -> None:
        """In a thread."""
        while True:
            name = self._questions.get()
            try:
                answer: _Answer = (name, self._lookup(name), "")
            except (OSError, UnicodeError, ValueError, MemoryError) as error:
                answer = (name, [], str(error) or type(error).__name__)
            self._answers.put(answer)
            os.eventfd_write(self._bell, 1)

    def _hear(self, _events: int) -> None:
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            pass
        changed = False
        while not self._answers.empty():
            changed = self._take(*self._answers.get()) or changed
        self._give()
        if changed:
            self._on_change()

    def _take(self, name: Name, answers: list[str], error: str) -> bool:
        """True when something is another than before."""
        del self._under_way[name]
        is_old = name in self._again
        self._again.discard(name)
        if name not in self._wanted:
            return False
        before = self.known.get(name)
        present = before[0] if before else ""
        addresses = rank(answers, present) or before or ()
        if answers:
            self._failing.discard(name)
        else:
            self._fail(name, error or "no address", present)
        if is_old:
            self._ask(name)
        else:
            self._wait(name, self._interval_ns if answers else min(RETRY_NS, self._interval_ns))
        if addresses == before:
            return False
        self.known[name] = addresses
        if addresses and addresses[0] != present:
            self._logger.info("name_resolved", name=name[0], address=addresses[0], before=present)
        return True

    def _fail(self, name: Name, error: str, address: str) -> None:
        """Said once, until it is found again."""
        if name not in self._failing:
            self._failing.add(name)
            self._logger.warning("name_not_resolved", name=name[0], error=error, keeps=address)

    def _lose_patience(self, names: frozenset[Name]) -> None:
        late = sorted((names & self._wanted) - self.known.keys())
        for name in late:
            self.known[name] = ()
            self._fail(name, "no answer yet", "")
        if late:
            self._on_change()

    def _wait(self, name: Name, delay_ns: int) -> None:
        self._waiting[name] = self._loop.after(delay_ns, lambda: self._ask(name))
