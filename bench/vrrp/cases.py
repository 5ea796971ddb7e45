"""What is measured, one function per question; each runs one daemon once and gives figures with their names."""

from __future__ import annotations

import collections
import itertools
import statistics
import time
from collections.abc import Iterable
from typing import TypeVar

from bench.vrrp.layout import Shape
from bench.vrrp.stage import Stage
from bench.vrrp.watch import Advert, adverts_in, changes_in
from tests.lab.net import wait_until

Figures = dict[str, float]
_T = TypeVar("_T")


def sending(kind: str, shape: Shape, seconds: float) -> Figures:
    """As master of all: start, CPU time per advertisement, lateness, memory."""
    with Stage(kind, shape, watches_addresses=False) as stage:
        stage.start()
        seen = _everybody_spoke(stage, 60)
        first_ns = first_moments(((advert.interface, advert.vrid), advert.at_ns) for advert in seen)
        time.sleep(3 + 2 * shape.interval_cs / 100)
        pid, everybody = stage.vrrp(), stage.tree()
        begin_ns, begin_cpu, begin_all = time.time_ns(), stage.cpu_ns([pid]), stage.cpu_ns(everybody)
        time.sleep(seconds)
        stage.must_live(pid)
        cpu_ns, all_ns = stage.cpu_ns([pid]) - begin_cpu, stage.cpu_ns(everybody) - begin_all
        end_ns = time.time_ns()
        time.sleep(0.1)
        adverts = [advert for advert in adverts_in(stage.adverts) if begin_ns <= advert.at_ns < end_ns]
        late_ms = lateness_ms(adverts, shape.interval_cs * 10_000_000)
        return {
            "start_first_ms": (min(first_ns.values()) - stage.started_ns) / 1e6,
            "start_all_ms": (max(first_ns.values()) - stage.started_ns) / 1e6,
            "sent": len(adverts),
            "cpu_per_sent_us": cpu_ns / 1000 / max(1, len(adverts)),
            "cpu_percent": cpu_ns / (end_ns - begin_ns) * 100,
            "cpu_percent_all": all_ns / (end_ns - begin_ns) * 100,
            "off_ms_median": statistics.median(abs(one) for one in late_ms),
            "late_ms_p99": quantile(late_ms, 0.99),
            "late_ms_max": max(late_ms),
            "vrrp_pss_kib": stage.pss_kib([pid]),
            "all_pss_kib": stage.pss_kib(stage.tree()),
        }


def receiving(kind: str, shape: Shape, seconds: float) -> Figures:
    """As backup of all: CPU time per advertisement that comes in, spread evenly."""
    with Stage(kind, shape, watches_addresses=False) as stage:
        stage.start_others("spread")
        time.sleep(1)
        stage.start()
        stage.wait_backup()
        time.sleep(3 + 2 * shape.interval_cs / 100)
        pid = stage.vrrp()
        begin_ns, begin_cpu = time.time_ns(), stage.cpu_ns([pid])
        time.sleep(seconds)
        stage.must_live(pid)
        cpu_ns, end_ns = stage.cpu_ns([pid]) - begin_cpu, time.time_ns()
        time.sleep(0.1)
        adverts = [advert for advert in adverts_in(stage.adverts) if begin_ns <= advert.at_ns < end_ns]
        received = [advert for advert in adverts if advert.is_outgoing]
        return {
            "received": len(received),
            "spoke": len(adverts) - len(received),
            "cpu_per_received_us": cpu_ns / 1000 / max(1, len(received)),
        }


def taking_over(kind: str, shape: Shape) -> Figures:
    """The master of all falls silent at once: from the moment a timer runs out to what its router does then.

    Each router counts from its own timer: a master that dies in the middle of its adverts leaves some of them a whole
    interval ahead of the others.
    """
    count = shape.routers * shape.addresses
    with Stage(kind, shape) as stage:
        stage.start_others("bunched")
        time.sleep(1)
        stage.start()
        stage.wait_backup()
        time.sleep(3 + 2 * shape.interval_cs / 100)
        stage.end_others()
        wait_until(lambda: len(changes_in(stage.changes)) >= count, 3 * shape.down_s + 10, "all addresses are there")
        time.sleep(0.3)
        adverts, changes = adverts_in(stage.adverts), changes_in(stage.changes)
        due_ns = {(one.interface, one.vrid): one.at_ns + int(shape.down_s * 1e9) for one in adverts if one.is_outgoing}
        spoke_ns = first_moments(((one.interface, one.vrid), one.at_ns) for one in adverts if not one.is_outgoing)
        # A lease that begins or is renewed tells of its address once more.
        came_ns = first_moments((change.address, change.at_ns) for change in changes if change.came)
        indexes = stage.indexes()
        vips = [
            (came_ns[address], (indexes[shape.place_of(number)[0]], shape.place_of(number)[1]))
            for number in range(shape.routers)
            for address in shape.addresses_of(number)
        ]
        adverts_ms = [(at_ns - due_ns[router]) / 1e6 for router, at_ns in spoke_ns.items()]
        vips_ms = [(at_ns - due_ns[router]) / 1e6 for at_ns, router in vips]
        return {
            "first_advert_ms": min(adverts_ms),
            "last_advert_ms": max(adverts_ms),
            "first_vip_ms": min(vips_ms),
            "last_vip_ms": max(vips_ms),
            "advert_before_vip_ms": min(at_ns - spoke_ns[router] for at_ns, router in vips) / 1e6,
            "timers_spread_ms": (max(due_ns.values()) - min(due_ns.values())) / 1e6,
        }


def first_moments(happened: Iterable[tuple[_T, int]]) -> dict[_T, int]:
    """(what, when) in any number: when each was first."""
    found: dict[_T, int] = {}
    for what, at_ns in happened:
        found.setdefault(what, at_ns)
    return found


def lateness_ms(adverts: list[Advert], interval_ns: int) -> list[float]:
    """How much later than one interval after the one before it each came (below 0: earlier), router by router."""
    times: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
    for advert in adverts:
        times[advert.interface, advert.vrid].append(advert.at_ns)
    return [
        (later - earlier - interval_ns) / 1e6 for ones in times.values() for earlier, later in itertools.pairwise(ones)
    ]


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def _everybody_spoke(stage: Stage, timeout_s: float) -> list[Advert]:
    def all_there() -> bool:
        seen = {(advert.interface, advert.vrid) for advert in adverts_in(stage.adverts)}
        return len(seen) >= stage.shape.routers or not stage.daemon.alive

    wait_until(all_there, timeout_s, "every router has spoken", every_s=0.1)
    if not stage.daemon.alive:
        raise RuntimeError(f"{stage.kind} ended: {stage.log()[-1500:]}")
    return adverts_in(stage.adverts)
