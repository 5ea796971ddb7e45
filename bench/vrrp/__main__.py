"""VRRP side by side with keepalived, in one run: CPU per advertisement, lateness, memory, start and take-over.

    python -m bench.vrrp [--case ROUTERS:INTERVAL_CS[:vmac] ...] [--seconds N] [--rounds N] [--only send|... ...]

Root. Every daemon runs alone, one after the other in turns, in network namespaces of its own; a listener in another one
notes each packet with the kernel's time stamp. Below 1 s version 3 is spoken. Figures are medians of the rounds; the
last column is pyhad's figure divided by keepalived's. At the end stand all goals, and which were reached.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable

from bench.vrrp.cases import Figures, receiving, sending, taking_over
from bench.vrrp.layout import Shape
from bench.vrrp.stage import DAEMONS
from bench.vrrp.verdict import verdicts
from tests.lab.net import require_root

CASES = ("1:100", "100:100", "1000:100", "4000:100", "100:1", "250:100:vmac", "100:10:vmac")
TAKEOVERS = (Shape(1, 100, 2, 600), Shape(200, 100, 2, 3))
WHAT = {
    "start_first_ms": "start to first advert, ms",
    "start_all_ms": "start to last first advert, ms",
    "cpu_per_sent_us": "CPU per advert sent, us",
    "cpu_percent": "CPU of the VRRP process, %",
    "cpu_percent_all": "CPU of all its processes, %",
    "off_ms_median": "off the interval, median, ms",
    "late_ms_p99": "late, p99, ms",
    "late_ms_max": "late, max, ms",
    "vrrp_pss_kib": "memory of the VRRP process, KiB",
    "all_pss_kib": "memory of all its processes, KiB",
    "cpu_per_received_us": "CPU per advert received, us",
    "first_advert_ms": "timer to first advert, ms",
    "last_advert_ms": "timer to last advert, ms",
    "first_vip_ms": "timer to first VIP, ms",
    "last_vip_ms": "timer to last VIP, ms",
    "advert_before_vip_ms": "advert before its first VIP, ms",
    "timers_spread_ms": "timers apart from each other, ms",
}


def shape_of(words: str, priority: int) -> Shape:
    """`1000:100` is 1000 routers at 100 cs; `:vmac` after it: each with a virtual MAC."""
    routers, interval_cs, *more = words.split(":")
    version = 2 if int(interval_cs) >= 100 else 3
    return Shape(int(routers), int(interval_cs), version, 1, priority, has_vmac=more == ["vmac"])


def measure(title: str, once: Callable[[str], Figures], rounds: int) -> dict[str, Figures]:
    """Keepalived and pyhad in turns; prints the table of their medians."""
    found: dict[str, list[Figures]] = {kind: [] for kind in DAEMONS}
    for _ in range(rounds):
        for kind in DAEMONS:
            found[kind].append(once(kind))
    medians = {
        kind: {name: statistics.median(one[name] for one in ones) for name in ones[0]} for kind, ones in found.items()
    }
    print(f"\n{title:<38}{'keepalived':>12}{'pyhad':>12}{'ratio':>8}")
    for name, figure in medians["pyhad"].items():
        if name in WHAT:
            theirs = medians["keepalived"][name]
            ratio = f"{figure / theirs:.2f}" if theirs > 0 and figure > 0 else "-"
            print(f"  {WHAT[name]:<36}{theirs:>12.3f}{figure:>12.3f}{ratio:>8}")
    odd = [kind for kind in DAEMONS if medians[kind].get("spoke", 0)]
    if odd:
        print(f"  {', '.join(odd)} spoke though a master was there: the figures are worth nothing")
    sys.stdout.flush()
    return medians


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.vrrp", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--case", action="append", metavar="ROUTERS:CS[:vmac]", help=f"of {' '.join(CASES)}")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement (10)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", action="append", choices=["send", "receive", "takeover"])
    parser.add_argument("-j", "--json", action="store_true", help="print all figures once more as JSON")
    return parser.parse_args()


def main() -> None:
    """Prints a table per case."""
    require_root()
    wish = arguments()
    parts = wish.only or ["send", "receive", "takeover"]
    found: dict[str, dict[str, Figures]] = {}
    reached: list[str] = []
    for words in wish.case or CASES:
        if "send" in parts:
            master = shape_of(words, 255)
            found[f"send {words}"] = measure(
                f"sending, {master}", lambda kind, shape=master: sending(kind, shape, wish.seconds), wish.rounds
            )
            reached += verdicts(f"sending, {master}", master, found[f"send {words}"])
        if "receive" in parts:
            backup = shape_of(words, 100)
            found[f"receive {words}"] = measure(
                f"receiving, {backup}", lambda kind, shape=backup: receiving(kind, shape, wish.seconds), wish.rounds
            )
            reached += verdicts(f"receiving, {backup}", backup, found[f"receive {words}"])
    if "takeover" in parts:
        for shape in TAKEOVERS:
            found[f"takeover {shape}"] = measure(
                f"taking over, {shape}", lambda kind, shape=shape: taking_over(kind, shape), wish.rounds
            )
            reached += verdicts(f"taking over, {shape}", shape, found[f"takeover {shape}"])
    print("", *reached, sep="\n")
    if wish.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
