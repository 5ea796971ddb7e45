"""What is done to the master, by name, and what makes it whole again.

A fault returns when it is over; what follows is the pair's to watch, and only then it is mended.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.failover.pair import LEASE_S, PRIORITY, Pair

FLAPS = 5


def _nothing(pair: Pair) -> None:
    """It came right by itself."""


def _start_again(pair: Pair) -> None:
    pair.start_again("a")


@dataclass(frozen=True, slots=True)
class Fault:
    """`watch_s`: beyond the down interval."""

    do: Callable[[Pair], None]
    mend: Callable[[Pair], None] = _nothing
    watch_s: float = 0.6


def stop(pair: Pair) -> None:
    """systemctl stop."""
    pair.running["a"].signal(signal.SIGTERM)


def kill_vrrp(pair: Pair) -> None:
    """Its VRRP process dies."""
    os.kill(pair.vrrp("a"), signal.SIGKILL)


def hang_vrrp(pair: Pair) -> None:
    """Its VRRP process stands still and never goes on by itself."""
    os.kill(pair.vrrp("a"), signal.SIGSTOP)


def wake(pair: Pair) -> None:
    """An operator found it; pyhad's parent was there before."""
    pair.signal_all("a", signal.SIGCONT)


def kill_parent(pair: Pair) -> None:
    """Its parent process dies."""
    pair.running["a"].signal(signal.SIGKILL)


def kill_all(pair: Pair) -> None:
    """Every process of it dies in the same moment."""
    pair.signal_all("a", signal.SIGSTOP, signal.SIGKILL)


def freeze(pair: Pair) -> None:
    """The whole daemon stands still for longer than its peer waits, and goes on."""
    pair.signal_all("a", signal.SIGSTOP)
    time.sleep(pair.setting.down_s + 0.5)
    pair.signal_all("a", signal.SIGCONT)


def cut(pair: Pair) -> None:
    """Somebody pulls its cable."""
    pair.lab.cut("a", "eth0", until_told=False)


def plug_in(pair: Pair) -> None:
    """And puts it back."""
    pair.lab.mend("a", "eth0")


def flap(pair: Pair) -> None:
    """Its cable is loose: away and back five times, each for half an interval, then it holds."""
    for _ in range(FLAPS):
        pair.lab.cut("a", "eth0", until_told=False)
        time.sleep(pair.setting.interval_s / 2)
        pair.lab.mend("a", "eth0")
        time.sleep(pair.setting.interval_s / 2)


def reload(pair: Pair) -> None:
    """A reload that changes nothing."""
    pair.running["a"].signal(signal.SIGHUP)


def upgrade(pair: Pair) -> None:
    """A new version of the program: pyhad's own way, and for keepalived a restart."""
    if pair.kinds["a"] == "pyhad":
        pair.control("a", "upgrade")
        return
    pair.running["a"].stop()
    pair.start("a")


def standby(pair: Pair) -> None:
    """An operator hands the address over: pyhad's own way, and for keepalived a lower priority by reload."""
    if pair.kinds["a"] == "pyhad":
        pair.control("a", "vrrp", "standby", "V")
        return
    pair.write_config("a", 50)
    pair.running["a"].signal(signal.SIGHUP)


def take_back(pair: Pair) -> None:
    """And wants it here again."""
    if pair.kinds["a"] == "pyhad":
        pair.control("a", "vrrp", "takeback", "V")
        return
    pair.write_config("a", PRIORITY["a"])
    pair.running["a"].signal(signal.SIGHUP)


FAULTS = {
    "orderly stop": Fault(stop, _start_again),
    "VRRP child killed": Fault(kill_vrrp),
    "VRRP child hangs": Fault(hang_vrrp, wake, LEASE_S),
    "parent killed": Fault(kill_parent, _start_again),
    "all killed at once": Fault(kill_all, _start_again, LEASE_S),
    "frozen and thawed": Fault(freeze),
    "link cut": Fault(cut, plug_in),
    "link flaps": Fault(flap),
    "reload, nothing changed": Fault(reload, watch_s=1.0),
    "upgrade": Fault(upgrade),
    "standby": Fault(standby, take_back),
}
