"""What it costs to hold virtual addresses on lease: CPU and netlink messages of one router with 1, 100 and 600 of them.

    python -m bench.leases [--addresses N ...] [--interval SECONDS ...] [--seconds N] [--rounds N]

Root. keepalived, pyhad with leases (`auto`) and pyhad without take turns as master, in namespaces of their own; figures
are medians of the rounds. A renewed address is one netlink message to the kernel and one notification of it.
"""

from __future__ import annotations

import argparse
import statistics
import time

from bench.vrrp.layout import Shape
from bench.vrrp.stage import Stage
from bench.vrrp.watch import changes_in
from tests.lab.net import require_root, wait_until

WAYS = {
    "keepalived": ("keepalived", ""),
    "pyhad, leased": ("pyhad", " pyhad_vip_lease auto\n"),
    "pyhad, not leased": ("pyhad", " pyhad_vip_lease off\n"),
}


def cost(way: str, shape: Shape, seconds: float) -> tuple[float, float]:
    """(CPU of the VRRP process in ms per second, renewed addresses per second) as a master in peace."""
    kind, extra = WAYS[way]
    with Stage(kind, shape, extra=extra) as stage:
        stage.start()
        wait_until(lambda: len(changes_in(stage.changes)) >= shape.addresses, 60, "the addresses are there")
        time.sleep(3)
        pid = stage.vrrp()
        begin_ns, begin_cpu = time.time_ns(), stage.cpu_ns([pid])
        time.sleep(seconds)
        stage.must_live(pid)
        cpu_ns, end_ns = stage.cpu_ns([pid]) - begin_cpu, time.time_ns()
        renewed = [change for change in changes_in(stage.changes) if begin_ns <= change.at_ns < end_ns]
        lasted_s = (end_ns - begin_ns) / 1e9
        return cpu_ns / 1e6 / lasted_s, len(renewed) / lasted_s


def main() -> None:
    """Prints a row per number of addresses and interval."""
    parser = argparse.ArgumentParser(prog="bench.leases", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--addresses", type=int, action="append", help="of the router (1, 100 and 600)")
    parser.add_argument("--interval", type=float, action="append", help="seconds (1 and 0.1)")
    parser.add_argument("--seconds", type=float, default=6, help="of each measurement (6)")
    parser.add_argument("--rounds", type=int, default=1)
    wish = parser.parse_args()
    require_root()
    print("CPU of the VRRP process in ms per second; ratio to keepalived; addresses renewed per second")
    print(f"{'interval':<10}{'addresses':>10}" + "".join(f"{way:>20}" for way in WAYS) + f"{'ratio':>8}{'renewed':>10}")
    for interval_s in wish.interval or [1.0, 0.1]:
        for addresses in wish.addresses or [1, 100, 600]:
            shape = Shape(1, round(interval_s * 100), 2 if interval_s >= 1 else 3, addresses, 255)
            found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
            for _ in range(wish.rounds):
                for way, ones in found.items():
                    ones.append(cost(way, shape, wish.seconds))
            cpu = {way: statistics.median(one for one, _ in ones) for way, ones in found.items()}
            renewed = statistics.median(one for _, one in found["pyhad, leased"])
            ratio = cpu["pyhad, leased"] / cpu["keepalived"]
            row = "".join(f"{cpu[way]:>20.2f}" for way in WAYS)
            print(f"{interval_s:<8g} s{addresses:>10}{row}{ratio:>8.1f}{renewed:>10.0f}", flush=True)


if __name__ == "__main__":
    main()
