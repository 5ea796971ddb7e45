"""What a configuration and the command line mean for the parent: who must run, how long to wait. Pure data."""

from __future__ import annotations

from pyhad.common.config.model import ParentDocument
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName
from pyhad.parent.core.standing import Limits, limits_for

WATCHDOG_MIN_NS = 500_000_000
WATCHDOG_MAX_NS = 10_000_000_000
QUICK_NS = WATCHDOG_MIN_NS * 5 // 2
"""A master-down interval below this has no two fifths that the watchdog could wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Children that the command line forbids or forces (CLI-2, CLI-3, CLI-5)."""

    no_checker: bool = False
    no_vrrp: bool = False
    all_children: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One configuration as the supervisor sees it."""

    needed: frozenset[ProcessName]
    watchdog_ns: int
    """Silence of the VRRP child that means it hangs."""
    child_wait_ns: int
    """From the wish to stop to SIGKILL (PROC-6)."""
    down_interval_ns: int = 0
    """Smallest master-down interval: for how long VRRP may be absent unnoticed; 0: there is none."""
    limits: Limits | None = None
    """For a closer look at the VRRP child, where peers are quicker than `watchdog_ns`."""


def settings_of(document: ParentDocument, wish: Wish) -> Settings:
    """The settings of `document`. The control process is always needed; checker and IPVS owner go together."""
    needed = {ProcessName.CONTROL}
    if (document.vrrp or wish.all_children) and not wish.no_vrrp:
        needed.add(ProcessName.VRRP)
    if (document.checker or wish.all_children) and not wish.no_checker:
        needed |= {ProcessName.CHECKER, ProcessName.IPVS}
    return Settings(
        needed=frozenset(needed),
        watchdog_ns=watchdog_ns(document.down_interval_ns),
        child_wait_ns=document.child_wait_ns,
        down_interval_ns=document.down_interval_ns,
        limits=limits_for(document.down_interval_ns) if 0 < document.down_interval_ns < QUICK_NS else None,
    )


def watchdog_ns(down_interval_ns: int) -> int:
    """Two fifths of the smallest master-down interval, between 0.5 s and 10 s; 10 s where there is no interval.

    The last advert may be a third of that interval older than the silence; what is left must do for the successor.
    """
    if down_interval_ns == 0:
        return WATCHDOG_MAX_NS
    return min(max(down_interval_ns * 2 // 5, WATCHDOG_MIN_NS), WATCHDOG_MAX_NS)
