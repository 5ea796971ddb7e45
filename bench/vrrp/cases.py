"""What is measured, one function per question; each runs one daemon once and gives figures with their names."""

from __future__ import annotations

import collections
import itertools
import statistics
import time

from bench.vrrp.layout import Shape
from bench.vrrp.stage import Stage
from bench.vrrp.watch import Advert, adverts_in, changes_in
from tests.lab.net import wait_until

Figures = dict[str, float]


def sending(kind: str, shape: Shape, seconds: float) -> Figures:
    """As master of all: start, CPU time per advertisement, lateness, memory."""
    with Stage(kind, shape) as stage:
        stage.start()
        seen = _everybody_spoke(stage, 60)
        first_ns: dict[tuple[int, int], int] = {}
        for advert in seen:
            first_ns.setdefault((advert.interface, advert.vrid), advert.at_ns)
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
    with Stage(kind, shape) as stage:
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
    """The master of all falls silent at once: from the moment the timers run out to the last address."""
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
        adverts = adverts_in(stage.adverts)
        last_ns = {(one.interface, one.vrid): one.at_ns for one in adverts if one.is_outgoing}
        due_ns = min(last_ns.values()) + int(shape.down_s * 1e9)
        ours: dict[tuple[int, int], int] = {}
        for one in adverts:
            if not one.is_outgoing:
                ours.setdefault((one.interface, one.vrid), one.at_ns)
        came = {change.address: change.at_ns for change in changes_in(stage.changes) if change.came}
        first_vip = min(came.values())
        late_all = [(at_ns - last_ns[key] - int(shape.down_s * 1e9)) / 1e6 for key, at_ns in ours.items()]
        before = min(
            came[address] - ours[socket_key(stage, shape, number)]
            for number in range(shape.routers)
            for address in shape.addresses_of(number)
        )
        return {
            "takeover_late_ms_max": max(late_all),
            "first_advert_ms": (min(ours.values()) - due_ns) / 1e6,
            "last_advert_ms": (max(ours.values()) - due_ns) / 1e6,
            "first_vip_ms": (first_vip - due_ns) / 1e6,
            "last_vip_ms": (max(came.values()) - due_ns) / 1e6,
            "advert_before_vip_ms": before / 1e6,
        }


def socket_key(stage: Stage, shape: Shape, number: int) -> tuple[int, int]:
    """(interface index at the watcher, VRID) of one router."""
    interface, vrid = shape.place_of(number)
    if not hasattr(stage, "indexes"):
        stage.indexes = {  # type: ignore[attr-defined]
            line.split(":")[1].strip().split("@")[0]: int(line.split(":")[0])
            for line in stage.lab.run("x", "ip", "-o", "link").splitlines()
        }
    return stage.indexes[interface], vrid  # type: ignore[attr-defined]


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
