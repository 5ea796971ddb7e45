"""What can happen to the supervisor: past facts. A closed union; the supervisor handles all of them."""

from __future__ import annotations

from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName
from pyhad.parent.core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationReady:
    """A configuration was compiled: the first one, or the one a reload asked for."""

    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRefused:
    """The compilation that a reload asked for found errors, crashed or took too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadWanted:
    """SIGHUP, or the control process passed on somebody's wish."""

    confirm_s: int = 0
    """Not 0: go back after so many seconds unless `ReloadConfirmed` comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadConfirmed:
    """Somebody wants to keep the configuration of the last reload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """One running child that an upgraded parent found."""

    started_ns: int
    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenFound:
    """This parent took over from another program: these children of it run. Comes before any configuration."""

    children: dict[ProcessName, Adopted]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeWanted:
    """Go on as the program that is installed now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeTried:
    """The installed program was tried, or could not be handed over to."""

    fits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWanted:
    """SIGTERM or SIGINT."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildReady:
    """The child said that it does its work."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildApplied:
    """The child said that the last document is in force."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildExited:
    """The child is gone. `status`: its exit status, or minus the number of the signal that ended it."""

    name: ProcessName
    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldReleased:
    """The process that `ReleaseHeld` asked for has ended."""

    name: ProcessName


@dataclass(frozen=True, slots=True, kw_only=True)
class PulsesObserved:
    """The progress counters of the pulse page as they are now, by process."""

    progress: dict[ProcessName, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildStands:
    """The child was looked at more closely (core/standing.py): its loop does not turn, and nothing keeps it."""

    name: ProcessName
    stood_ns: int
    """Stopped or asleep, after a turn was due."""
    worked_ns: int
    """Processor time used in that turn since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """`now` reached `next_deadline_ns()`."""


Event = (
    ConfigurationReady | ConfigurationRefused | ReloadWanted | ChildrenFound | UpgradeWanted | UpgradeTried | StopWanted
    | ReloadConfirmed | ChildReady | ChildApplied | ChildExited | HeldReleased | PulsesObserved
    | ChildStands | TimePassed
)  # fmt: skip
