"""Whether a reload makes adverts late: 1000 virtual routers and 10,000 real servers, reloaded as they are and changed.

    python -m bench.reload [--routers N] [--servers N] [--interval SECONDS] [-j]

Root. keepalived (its VRRP process alone, `-P`) and pyhad take turns as master of all; a listener notes each advert with
the kernel's time stamp. A file with an error comes last: it must change nothing.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import json
import signal
import time
from collections.abc import Iterable

from bench.vrrp.layout import Shape
from bench.vrrp.stage import DAEMONS, Stage
from bench.vrrp.watch import Advert, adverts_in
from tests.lab.net import require_root, wait_until

PER_SERVICE = 100
SETTLE_S = 8


def services(servers: int, weight: int) -> str:
    """So many real servers; the first one has this weight."""
    blocks = []
    for first in range(0, servers, PER_SERVICE):
        number = first // PER_SERVICE
        lines = "".join(
            f" real_server 10.200.{number}.{place + 1} 80 {{\n  weight {weight if first + place == 0 else 1}\n }}\n"
            for place in range(min(PER_SERVICE, servers - first))
        )
        blocks.append(f"virtual_server 10.99.0.{number + 1} 80 {{\n lb_algo rr\n lb_kind NAT\n{lines}}}\n")
    return "".join(blocks)


def longest_gap_ms(adverts: Iterable[Advert], since_ns: int, until_ns: int) -> float:
    """Of any router, between two adverts of which the second came within that time."""
    times: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
    for advert in adverts:
        times[advert.interface, advert.vrid].append(advert.at_ns)
    return max(
        (later - earlier) / 1e6
        for ones in times.values()
        for earlier, later in itertools.pairwise(sorted(ones))
        if since_ns <= later <= until_ns
    )


def reloaded(kind: str, shape: Shape, servers: int) -> dict[str, float]:
    """Longest gap in ms: in peace, over each reload, and how many adverts of priority 0 there were (none)."""
    with Stage(kind, shape) as stage:
        path = stage.path / "conf"
        routers = path.read_text()
        path.write_text(routers + services(servers, 1))
        stage.start()
        every = shape.routers
        wait_until(lambda: len({one[1:3] for one in adverts_in(stage.adverts)}) >= every, 180, "all speak", every_s=0.5)
        time.sleep(SETTLE_S)
        found = {}
        texts = {
            "in peace": None,
            "reload, nothing changed": routers + services(servers, 1),
            "reload, a weight changed": routers + services(servers, 2),
            "reload, an error": routers + services(servers, 2) + "vrrp_instance {\n",
        }
        for what, text in texts.items():
            begin_ns = time.time_ns()
            if text is not None:
                path.write_text(text)
                stage.daemon.signal(signal.SIGHUP)
            time.sleep(SETTLE_S)
            found[what] = longest_gap_ms(adverts_in(stage.adverts), begin_ns, time.time_ns())
        found["releases"] = sum(advert.priority == 0 for advert in adverts_in(stage.adverts))
        return found


def main() -> None:
    """Prints a row per reload."""
    parser = argparse.ArgumentParser(prog="bench.reload", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--routers", type=int, default=1000)
    parser.add_argument("--servers", type=int, default=10_000)
    parser.add_argument("--interval", type=float, default=1.0)
    parser.add_argument("-j", "--json", action="store_true", help="JSON for programs")
    wish = parser.parse_args()
    require_root()
    shape = Shape(wish.routers, round(wish.interval * 100), 2 if wish.interval >= 1 else 3, 1, 255)
    found = {kind: reloaded(kind, shape, wish.servers) for kind in DAEMONS}
    if wish.json:
        print(json.dumps(found, indent=2))
        return
    print(f"longest time between two adverts of a router, ms; {shape}, {wish.servers} real servers")
    print(f"{'':<28}" + "".join(f"{kind:>12}" for kind in DAEMONS))
    for what in found["pyhad"]:
        print(f"{what:<28}" + "".join(f"{found[kind][what]:>12.1f}" for kind in DAEMONS))


if __name__ == "__main__":
    main()
