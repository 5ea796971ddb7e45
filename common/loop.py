"""The event loop of every process: epoll, one timerfd, a heap of deadlines.

One callback at a time, no threads, no asyncio. Time is integer nanoseconds of CLOCK_MONOTONIC. A callback that
raises ends the process: the parent is the recovery. Callbacks of one turn run in the order: ready
descriptors, due deadlines, end-of-turn hooks.
"""

from __future__ import annotations

import heapq
import select
import time
from collections.abc import Callable

from pyhad.common.lateness import Lateness
from pyhad.common.timerfd import TimerFd

READ = select.EPOLLIN
WRITE = select.EPOLLOUT


class Timer:
    """A deadline with its callback. `cancel()` is cheap; the entry leaves the heap when it comes due."""

    __slots__ = ("action", "at_ns")

    def __init__(self, at_ns: int, action: Callable[[], None] | None) -> None:
        self.at_ns = at_ns
        self.action = action

    def cancel(self) -> None:
        """Never run this timer. Harmless when it already ran."""
        self.action = None


class Loop:
    """Waits for (descriptors, deadline) and runs callbacks. `run()` returns after `stop()`."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._actions: dict[int, Callable[[int], object]] = {}
        self._heap: list[tuple[int, int, Timer]] = []
        self._count = 0
        self._armed_ns = 0
        self._stopping = False
        self._turn_hooks: list[Callable[[], None]] = []
        self._fresh: set[int] = set()
        """Registered since the last poll: what it says of such a number is about a descriptor closed meanwhile."""
        self._alarm = TimerFd()
        self._epoll.register(self._alarm.fd, select.EPOLLIN)
        self.gather_ns = 0
        """Above 0: descriptors are looked at once in so long, so that what arrives meanwhile costs one waking. Whoever
        sets it takes it back when little arrives: the loop does not sleep longer then."""
        self._looked_ns = 0
        self.each_action: Callable[[], None] | None = None
        """Called after every callback, for a turn that does much and must not look as one that hangs. Must be cheap."""
        self.lateness = Lateness()
        """How late timers run (self-measured starvation)."""

    now_ns = staticmethod(time.monotonic_ns)
    """CLOCK_MONOTONIC in ns."""

    def watch(self, fd: int, action: Callable[[int], object], events: int = READ) -> None:
        """Run `action(events)` when `fd` is ready. A second call for the same fd replaces the first."""
        if fd in self._actions:
            self._epoll.modify(fd, events)
        else:
            self._epoll.register(fd, events)
            self._fresh.add(fd)
        self._actions[fd] = action

    def unwatch(self, fd: int) -> None:
        """Forget `fd`; must come before it is closed. Harmless when it is not watched."""
        if self._actions.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def unwatch_closing(self, fd: int) -> None:
        """As `unwatch`, for one that nobody else holds and that is closed next: the kernel lets go of it by itself."""
        self._actions.pop(fd, None)

    def at(self, at_ns: int, action: Callable[[], None]) -> Timer:
        """Run `action()` once, at or soon after `at_ns` (monotonic)."""
        timer = Timer(at_ns, action)
        self._count += 1
        heapq.heappush(self._heap, (at_ns, self._count, timer))
        return timer

    def after(self, delay_ns: int, action: Callable[[], None]) -> Timer:
        """Run `action()` once, `delay_ns` from now."""
        return self.at(time.monotonic_ns() + delay_ns, action)

    def every(self, period_ns: int, action: Callable[[], None]) -> None:
        """Run `action()` each `period_ns` for the life of the loop, without drift, never twice to catch up."""
        due_ns = time.monotonic_ns() + period_ns

        def tick() -> None:
            nonlocal due_ns
            now_ns = time.monotonic_ns()
            due_ns = max(due_ns + period_ns, now_ns + period_ns // 2)
            self.at(due_ns, tick)
            action()

        self.at(due_ns, tick)

    def each_turn(self, action: Callable[[], None]) -> None:
        """Run `action()` at the end of every turn (pulse, log flush). Must be cheap."""
        self._turn_hooks.append(action)

    def stop(self) -> None:
        """Make `run()` return at the end of the current turn."""
        self._stopping = True

    def run(self) -> None:
        """Turn until `stop()`."""
        self._stopping = False
        while not self._stopping:
            self.turn(-1)

    def turn(self, timeout_s: float = 0) -> None:
        """One turn: wait at most `timeout_s` (-1: for ever), run what is ready and what is due."""
        if self.gather_ns:
            self._gather()
            timeout_s = 0
        else:
            self._arm()
        ready = self._epoll.poll(timeout_s)
        self._fresh.clear()
        for fd, events in ready:
            if fd == self._alarm.fd:
                self._armed_ns = 0
                self._alarm.drain()
                continue
            action = self._actions.get(fd)
            if action is not None and fd not in self._fresh:
                action(events)
                if self.each_action is not None:
                    self.each_action()
        self._run_due()
        for hook in self._turn_hooks:
            hook()

    def _gather(self) -> None:
        """Sleep until it is time to look again, but not over a deadline: no timer of the kernel's is needed."""
        now_ns = time.monotonic_ns()
        until_ns, next_ns = self._looked_ns + self.gather_ns, self.next_ns()
        if next_ns:
            until_ns = min(until_ns, next_ns)
        if until_ns > now_ns:
            time.sleep((until_ns - now_ns) / 1_000_000_000)
            self._looked_ns = until_ns
        else:
            self._looked_ns = now_ns

    def close(self) -> None:
        """Release the loop's own descriptors."""
        self._alarm.close()
        self._epoll.close()

    def next_ns(self) -> int:
        """When the next timer is due; 0: there is none."""
        while self._heap and self._heap[0][2].action is None:
            heapq.heappop(self._heap)
        return max(1, self._heap[0][0]) if self._heap else 0

    def _arm(self) -> None:
        at_ns = self.next_ns()
        if at_ns in (0, self._armed_ns):
            return
        self._alarm.move(at_ns)
        self._armed_ns = at_ns

    def _run_due(self) -> None:
        now_ns = time.monotonic_ns()
        heap, note = self._heap, self.lateness.note
        while heap and heap[0][0] <= now_ns:
            at_ns, _, timer = heapq.heappop(heap)
            action, timer.action = timer.action, None
            if action is None:
                continue
            note(now_ns - at_ns, now_ns)
            action()
            if self.each_action is not None:
                self.each_action()
