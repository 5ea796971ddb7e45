"""What the supervisor remembers of one child. Pure."""

from __future__ import annotations

from pyhad.common.records import dataclass, field
from pyhad.common.states import ProcessName, ProcessState
from pyhad.parent.core.effects import ReleaseHeld
from pyhad.parent.core.events import ChildStands
from pyhad.parent.core.restart import RestartPolicy

ALIVE = frozenset({ProcessState.STARTING, ProcessState.RUNNING, ProcessState.STOPPING})


START_GRACE_NS = 20_000_000_000
"""A child that builds thousands of objects turns no loop meanwhile."""
PATIENCE_NS = 5_000_000_000
"""Silence allowed to children other than VRRP: what they do can wait, but a second of work in one turn is no hang."""

STOP_WAITS = 3
"""The owner of the table has its time to stop so many times over while it works on it: what it leaves, nobody takes
away. A service manager that waits for 30 s sees the end of it."""

BELIEVED_NS = 60_000_000_000

NEVER_NS = 1 << 63
RELEASE_PAUSE_NS = 5_000_000_000
"""What VRRP held is released by a process that works alone: for some 100 ms, longer where the machine is busy."""


class Silence:
    """How long a progress counter has stood still, in time during which the observer itself was awake.

    A pause of the whole machine, or of the observer, must not look like a hanging child: no gap between two
    observations counts for more than `gap_max_ns`.
    """

    __slots__ = ("_observed_ns", "_progress", "silent_ns")

    def __init__(self, now_ns: int) -> None:
        self._progress = -1
        self._observed_ns = now_ns
        self.silent_ns = 0

    def moves(self, progress: int) -> bool:
        """The counter has this value now: another than when it was looked at last. The first look says nothing."""
        before, self._progress = self._progress, progress
        return before not in (-1, progress)

    def observe(self, progress: int, *, now_ns: int, gap_max_ns: int) -> None:
        """The counter has this value now."""
        gap_ns = min(now_ns - self._observed_ns, gap_max_ns)
        self._observed_ns = now_ns
        self.silent_ns = self.silent_ns + gap_ns if progress == self._progress else 0
        self._progress = progress


@dataclass(slots=True, kw_only=True)
class Child:
    """One child process, over all its runs."""

    name: ProcessName
    state: ProcessState = ProcessState.ABSENT
    wanted: bool = False
    """By the configuration in force."""
    started_ns: int = 0
    starts: int = 0
    was_ready: bool = False
    """Some run of it said ready."""
    policy: RestartPolicy = field(default_factory=RestartPolicy)
    silence: Silence = field(default_factory=lambda: Silence(0))
    start_at_ns: int | None = None
    """BACKOFF: when its next run begins."""
    kill_at_ns: int | None = None
    """STOPPING: when patience ends."""
    last_kill_ns: int = 0
    """With `kill_at_ns`: no later than this, whatever it still does."""
    stop_wait_ns: int = 0
    """With `kill_at_ns`: for how long it may do nothing that shows."""
    down_since_ns: int | None = None
    """When its last run that was ready ended; None while there is one, or never was."""
    due_ns: int = 0
    """When its next run would begin if nothing had to be released before."""
    released: bool = False
    """What it held has been given up since, or is just now."""
    release_until_ns: int | None = None
    """When patience with the process that gives it up ends; None while there is none."""
    believed_until_ns: int = 0
    """Some run of it was dropped because it worked for too long in one turn; until then that is no reason again."""
    killed: bool = False
    """This run got SIGKILL from us and has only to be reaped."""

    @property
    def is_alive(self) -> bool:
        """There is a process, of its own or one that gives up what it held."""
        return self.state in ALIVE or self.is_releasing

    @property
    def is_releasing(self) -> bool:
        """A process gives up what it held: nobody may work beside it."""
        return self.release_until_ns is not None

    def begin(self, now_ns: int) -> None:
        """Another run of it."""
        self.starts += 1
        self.started_ns = now_ns
        self.start_at_ns = self.kill_at_ns = None
        self.killed = False
        self.silence = Silence(now_ns)

    def turns(self, now_ns: int) -> None:
        """It is ready: a long start is no silence of the loop, which turns from now on."""
        self.silence = Silence(now_ns)
        self.was_ready = True
        self.down_since_ns = None

    def ends(self, now_ns: int, wait_ns: int) -> None:
        """It is asked to stop, and has so long (PROC-6)."""
        self.kill_at_ns, self.stop_wait_ns = now_ns + wait_ns, wait_ns
        self.last_kill_ns = now_ns + wait_ns * (STOP_WAITS if self.name is ProcessName.IPVS else 1)
        self.silence = Silence(now_ns)

    def _ends_slowly(self, progress: int, now_ns: int) -> None:
        """Who takes thousands of services out of the kernel shows each batch as progress: it is waited for."""
        if self.kill_at_ns is not None and self.silence.moves(progress):
            self.kill_at_ns = max(self.kill_at_ns, min(now_ns + self.stop_wait_ns, self.last_kill_ns))

    def adopt(self, *, starts: int, started_ns: int) -> None:
        """It runs already: another program started it."""
        self.starts, self.started_ns, self.was_ready, self.state = starts, started_ns, True, ProcessState.RUNNING

    def is_missed(self, patience_ns: int, next_start_ns: int) -> bool:
        """VRRP was absent, at its next start, for so long that a peer took over: hold nothing until then."""
        if self.name is not ProcessName.VRRP or self.down_since_ns is None or self.released:
            return False
        return 0 < patience_ns <= next_start_ns - self.down_since_ns

    def release(self, due_ns: int, now_ns: int) -> ReleaseHeld:
        """What it held is given up before its next run, which is due then."""
        self.released, self.due_ns, self.release_until_ns = True, due_ns, now_ns + RELEASE_PAUSE_NS
        return ReleaseHeld(name=self.name)

    def may_start(self, now_ns: int) -> None:
        """What it held has been given up: its next run need not wait for that any longer."""
        if self.is_releasing and self.start_at_ns is not None:
            self.start_at_ns = max(self.due_ns, now_ns)
        self.release_until_ns = None

    def starts_when_released(self, now_ns: int) -> None:
        """Its next run is wanted now, and begins beside nobody."""
        self.due_ns, self.start_at_ns = now_ns, self.release_until_ns

    def is_silent(self, progress: int, *, now_ns: int, gap_max_ns: int, watchdog_ns: int) -> bool:
        """Its counter has this value now, and has had it for too long. Who has been killed is not asked."""
        if self.state is ProcessState.STOPPING:
            self._ends_slowly(progress, now_ns)
        if self.state not in (ProcessState.STARTING, ProcessState.RUNNING) or self.killed:
            return False
        self.silence.observe(progress, now_ns=now_ns, gap_max_ns=gap_max_ns)
        return self.silence.silent_ns >= self.silence_allowed_ns(watchdog_ns)

    def is_to_be_dropped(self, event: ChildStands, now_ns: int) -> bool:
        """It was seen to stand, or to work for too long. That it works is believed once a minute: its successor may
        have just as much to do, and adverts that are late are better than none."""
        if self.state is not ProcessState.RUNNING or self.killed:
            return False
        if event.worked_ns > event.stood_ns:
            if now_ns < self.believed_until_ns:
                return False
            self.believed_until_ns = now_ns + BELIEVED_NS
        return True

    def silence_allowed_ns(self, watchdog_ns: int) -> int:
        """How long its loop may stand still; `watchdog_ns` is for VRRP."""
        if self.state is ProcessState.STARTING:
            return START_GRACE_NS
        return watchdog_ns if self.name is ProcessName.VRRP else PATIENCE_NS

    @property
    def deadlines_ns(self) -> tuple[int | None, ...]:
        """When time matters to it."""
        return self.start_at_ns, self.kill_at_ns, self.release_until_ns

    @property
    def restarts(self) -> int:
        """Runs after the first."""
        return max(0, self.starts - 1)
