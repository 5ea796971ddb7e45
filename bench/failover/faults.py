"""What is done to the master, by name. A fault returns when it is over; what follows is the pair's to watch."""

from __future__ import annotations

import os
import signal
import subprocess
import time

from bench.failover.pair import PYHADCTL, Pair

FLAPS = 5


def stop(pair: Pair) -> None:
    """systemctl stop."""
    pair.running["a"].signal(signal.SIGTERM)


def kill_vrrp(pair: Pair) -> None:
    """Its VRRP process dies."""
    os.kill(pair.vrrp("a"), signal.SIGKILL)


def hang_vrrp(pair: Pair) -> None:
    """Its VRRP process stands still and never goes on by itself."""
    os.kill(pair.vrrp("a"), signal.SIGSTOP)


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
    pair.lab.cut("a", "eth0")


def flap(pair: Pair) -> None:
    """Its cable is loose: away and back five times, each for half an interval, then it holds."""
    for _ in range(FLAPS):
        pair.lab.cut("a", "eth0")
        time.sleep(pair.setting.interval_s / 2)
        pair.lab.mend("a", "eth0")
        time.sleep(pair.setting.interval_s / 2)


def reload(pair: Pair) -> None:
    """A reload that changes nothing."""
    pair.running["a"].signal(signal.SIGHUP)


def upgrade(pair: Pair) -> None:
    """A new version of the program: pyhad's own way, and for keepalived a restart."""
    if pair.kinds["a"] == "pyhad":
        _ctl(pair, "upgrade")
        return
    pair.running["a"].stop()
    pair.start("a")


def standby(pair: Pair) -> None:
    """An operator hands the address over: pyhad's own way, and for keepalived a lower priority by reload."""
    if pair.kinds["a"] == "pyhad":
        _ctl(pair, "vrrp", "standby", "V")
        return
    pair.write_config("a", 50)
    pair.running["a"].signal(signal.SIGHUP)


def _ctl(pair: Pair, *words: str) -> None:
    subprocess.run([PYHADCTL, "--run-dir", str(pair.run_dir("a")), *words], check=True, capture_output=True)


FAULTS = {
    "orderly stop": stop,
    "VRRP child killed": kill_vrrp,
    "VRRP child hangs": hang_vrrp,
    "parent killed": kill_parent,
    "all killed at once": kill_all,
    "frozen and thawed": freeze,
    "link cut": cut,
    "link flaps": flap,
    "reload, nothing changed": reload,
    "upgrade": upgrade,
    "standby": standby,
}
