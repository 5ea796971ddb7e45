"""Whether a starved machine loses a virtual router: busy processes on every core and memory that changes all the time.

    python -m bench.starvation [--minutes 10] [--interval 1 --interval 0.1] [--busy 4] [--mib 32]
                               [--pair pyhad/pyhad ...]

Root. Two directors on one segment, a leads; a third host only listens and notes each advertisement with the kernel's
time stamp. A false take-over is an advertisement of b: nothing ever stops a. All pairs and intervals stand side by
side under the same load.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.vrrp.watch import adverts_in
from tests.lab.net import Lab, Running, require_root, wait_until

PYHAD = str(Path(sys.executable).with_name("pyhad"))
PAIRS = ("pyhad/pyhad", "keepalived/keepalived")
_PRIORITY = {"a": 150, "b": 100}
_HOG = (
    "import itertools\nblock = bytearray({mib} << 20)\n"
    "for turn in itertools.count():\n"
    "    block[turn * 4096 % len(block)] = turn & 255\n"
    "    if turn % 262144 == 0:\n        block = bytearray(len(block))\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Of one run."""

    take_overs: int
    """Adverts of b, which should have said nothing."""
    adverts: int
    longest_gap_ms: float
    """Between two adverts of a."""


def configuration(interval_s: float, priority: int) -> str:
    """One router."""
    return (
        f"vrrp_instance V {{\n interface eth0\n virtual_router_id 51\n version 3\n priority {priority}\n"
        f" advert_int {interval_s:g}\n virtual_ipaddress {{\n  10.0.0.100/24\n }}\n}}\n"
    )


class Site:
    """One segment with two directors and a listener. They are started in peace."""

    def __init__(self, lab: Lab, folder: Path, kinds: tuple[str, str], interval_s: float) -> None:
        folder.mkdir(mode=0o755)
        self.kinds, self.interval_s, self._notes = kinds, interval_s, folder / "adverts"
        hosts = {letter: f"{letter}{folder.name}" for letter in "abx"}
        for number, host in enumerate(hosts.values(), 1):
            lab.wire(host, "eth0", f"lan{folder.name}", f"10.0.0.{number}/24")
        lab.start(hosts["x"], sys.executable, "-m", "bench.vrrp.watch", "adverts", str(self._notes))
        wait_until(self._notes.exists, 20, "the listener listens")
        for letter, kind in zip("ab", kinds, strict=True):
            _start(lab, folder, hosts[letter], kind, configuration(interval_s, _PRIORITY[letter]))
            if letter == "a":
                wait_until(lambda: adverts_in(self._notes), 60, "a leads")

    def outcome(self, since_ns: int) -> Outcome:
        """What the listener heard since then."""
        seen = [one for one in adverts_in(self._notes) if one.at_ns >= since_ns]
        ours = [one.at_ns for one in seen if one.priority == _PRIORITY["a"]]
        gaps = [(later - earlier) / 1e6 for earlier, later in itertools.pairwise(ours)]
        return Outcome(take_overs=len(seen) - len(ours), adverts=len(ours), longest_gap_ms=max(gaps, default=0.0))


def starve(
    wishes: Sequence[tuple[tuple[str, str], float]], seconds: float, *, busy: int, mib: int = 32
) -> list[tuple[Site, Outcome]]:
    """All pairs at all intervals side by side, then `busy` processes per core for `seconds`: the same ones for all."""
    with tempfile.TemporaryDirectory(prefix="pyhad-starve.") as name, Lab() as lab:
        folder = Path(name)
        folder.chmod(0o755)
        sites = [
            Site(lab, folder / str(number), kinds, interval_s) for number, (kinds, interval_s) in enumerate(wishes)
        ]
        time.sleep(2 + 5 * max(site.interval_s for site in sites))
        hogs = [
            subprocess.Popen([sys.executable, "-c", _HOG.format(mib=mib)]) for _ in range(busy * (os.cpu_count() or 1))
        ]
        try:
            begin_ns = time.time_ns()
            time.sleep(seconds)
            return [(site, site.outcome(begin_ns)) for site in sites]
        finally:
            for hog in hogs:
                hog.kill()
            for hog in hogs:
                hog.wait()


def _start(lab: Lab, folder: Path, host: str, kind: str, text: str) -> Running:
    path = folder / f"{host}.conf"
    path.write_text(text)
    if kind == "pyhad":
        command = [PYHAD, "-n", "-l", "-G", "-f", str(path), "--run-dir", str(folder / f"{host}.run")]
    else:
        pids = [word for letter in "prc" for word in (f"-{letter}", str(folder / f"{host}.{letter}.pid"))]
        command = ["keepalived", "-n", "-l", "-G", "-P", "-f", str(path), *pids]
    return lab.start(host, *command, log=folder / f"{host}.log")


def main() -> None:
    """Prints a row per pair and interval."""
    parser = argparse.ArgumentParser(prog="bench.starvation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--interval", type=float, action="append", help="seconds (1 and 0.1)")
    parser.add_argument("--busy", type=int, default=4, help="processes per core (4)")
    parser.add_argument("--mib", type=int, default=32, help="memory that each of them writes over and over (32)")
    parser.add_argument("--pair", action="append", help="MASTER/BACKUP (both of one kind)")
    wish = parser.parse_args()
    require_root()
    print(f"{'pair':<24}{'interval':>10}{'adverts':>10}{'longest gap, ms':>18}{'false take-overs':>18}")
    wishes = [
        ((master, backup), interval_s)
        for master, _, backup in (pair.partition("/") for pair in wish.pair or PAIRS)
        for interval_s in wish.interval or [1.0, 0.1]
    ]
    for site, found in starve(wishes, wish.minutes * 60, busy=wish.busy, mib=wish.mib):
        print(
            f"{'/'.join(site.kinds):<24}{site.interval_s:>8g} s{found.adverts:>10}"
            f"{found.longest_gap_ms:>18.1f}{found.take_overs:>18}",
            flush=True,
        )


if __name__ == "__main__":
    main()
