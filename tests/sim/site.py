"""Configurations drawn from a seed: virtual routers of every kind on two LANs, as documents of some machines.

`Site` is the plan that all machines share; `revise` changes it as an operator may between two reloads.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from pyhad.common.config.model import (
    SCHEMA,
    Announcement,
    HmacKey,
    HmacMode,
    HmacSettings,
    UnicastPeer,
    VirtualAddress,
    VrrpDocument,
    VrrpInstance,
)
from pyhad.common.config.model.tracking import (
    InterfaceDelay,
    Program,
    SyncGroup,
    Tracker,
    TrackerKind,
    TrackFile,
    TrackScript,
)
from tests.sim.world import MILLISECOND_NS, SECOND_NS

LANS = ("eth0", "eth1")
SCRIPTS, FILES = ("s1", "s2"), ("f1",)
_INTERVALS_CS = (10, 100)


@dataclass
class Plan:
    """One virtual router of the site. `ranks` has each machine's base priority."""

    vrid: int
    family: int
    interface: str
    version: int
    interval_cs: int
    ranks: tuple[int, ...]
    addresses: tuple[int, ...] = (1, 2)
    excluded: tuple[int, ...] = ()
    group: str = ""
    kind: str = "multicast"
    trackers: tuple[Tracker, ...] = ()
    tracked_interfaces: tuple[str, ...] = ()
    preempt: bool = True
    preempt_delay_ns: int = 0
    announcement: Announcement = field(default_factory=Announcement)
    silent_to_lower: bool = False
    closed: bool = False
    """`no_accept`"""

    @property
    def name(self) -> str:
        """Of the instance."""
        return f"V{self.vrid}_{self.family}_{self.interface}"


class Site:
    """`machines` of them, with plans of which some are tied into groups."""

    def __init__(self, chance: Random, machines: int) -> None:
        self.chance = chance
        self.machines = machines
        self.interval_cs = chance.choice(_INTERVALS_CS)
        self.delays = chance.random() < 0.3
        self.plans: list[Plan] = []
        self._vrids: dict[tuple[int, str], int] = {}
        """The last one given: none twice, for machines that are not reloaded yet may still have another of it."""
        for _ in range(chance.randrange(1, 5)):
            self._add()
        self._tie()

    def longest_down_ns(self) -> int:
        """Of any router of any priority, a little more than the formula says."""
        return 4 * max(self.interval_cs, 100) * 10 * MILLISECOND_NS

    def document(self, number: int) -> VrrpDocument:
        """Of machine `number`, from 1."""
        groups = sorted({plan.group for plan in self.plans} - {""})
        return VrrpDocument(
            schema=SCHEMA,
            generation=1,
            router_id=f"n{number}",
            instances=tuple(self._instance(plan, number) for plan in self.plans),
            scripts=tuple(
                TrackScript(
                    name=name, program=Program(argv=(name,)), interval_ns=SECOND_NS, timeout_ns=SECOND_NS, rise=2,
                    fall=2,
                )
                for name in SCRIPTS
            ),
            files=tuple(TrackFile(name=name, path=f"/{name}") for name in FILES),
            groups=tuple(
                SyncGroup(name=name, members=tuple(plan.name for plan in self.plans if plan.group == name))
                for name in groups
            ),
            interface_delays=(
                (InterfaceDelay(interface="eth1", down_ns=100 * MILLISECOND_NS, up_ns=300 * MILLISECOND_NS),)
                if self.delays
                else ()
            ),
        )  # fmt: skip

    def revise(self) -> None:
        """What can be changed on one machine after another without their ceasing to understand each other."""
        chance = self.chance
        for plan in self.plans:
            if chance.random() < 0.4:
                self._vary(plan)
        if chance.random() < 0.3 and len(self.plans) < 5:
            self._add()
        if chance.random() < 0.3 and len(self.plans) > 1:
            self.plans.remove(chance.choice(self.plans))
        if chance.random() < 0.5:
            self._tie()

    # ------------------------------------------------------------------------------------------- drawing

    def _add(self) -> None:
        chance = self.chance
        family = chance.choice((4, 4, 6))
        version = 3 if family == 6 or self.interval_cs != 100 else chance.choice((2, 3))
        kind = chance.choice(("multicast", "multicast", "unicast", "hmac"))
        if version == 2:
            kind = chance.choice(("multicast", "unicast", "pass", "ah"))
        interface = chance.choice(LANS)
        vrid = self._vrids[family, interface] = self._vrids.get((family, interface), 0) + 1
        plan = Plan(
            vrid=vrid, family=family, interface=interface, version=version, interval_cs=self.interval_cs,
            ranks=self._ranks(), kind=kind,
        )  # fmt: skip
        self._vary(plan)
        self.plans.append(plan)

    def _ranks(self) -> tuple[int, ...]:
        """All different, or some alike: then the address decides."""
        choice = (50, 100, 100, 150, 200, 254) if self.chance.random() < 0.3 else (40, 80, 120, 160, 200)
        if len(set(choice)) == len(choice):
            return tuple(self.chance.sample(choice, self.machines))
        return tuple(self.chance.choice(choice) for _ in range(self.machines))

    def _vary(self, plan: Plan) -> None:
        chance = self.chance
        if not plan.group:
            plan.ranks = self._ranks()
            plan.preempt = chance.random() < 0.8
            plan.preempt_delay_ns = chance.choice((0, 0, 0, 2 * plan.interval_cs * 10 * MILLISECOND_NS))
            plan.trackers = tuple(tracker for tracker in _TRACKERS if chance.random() < 0.2)
        plan.excluded = tuple(range(100, 100 + chance.randrange(3)))
        if plan.kind not in ("unicast",) or chance.random() < 0.5:
            plan.addresses = (1, 2, 3)[: chance.randrange(1, 4)]
        plan.silent_to_lower = chance.random() < 0.2
        plan.closed = chance.random() < 0.2
        other = "eth1" if plan.interface == "eth0" else "eth0"
        plan.tracked_interfaces = (other,) if chance.random() < 0.15 else ()
        plan.announcement = Announcement(
            master_delay_ns=chance.choice((0, SECOND_NS)),
            refresh_ns=chance.choice((0, 3 * SECOND_NS)),
            lower_prio_delay_ns=chance.choice((0, SECOND_NS)),
        )

    def _tie(self) -> None:
        """Some into one group. Its members rank alike on each machine, and follow the same things."""
        for plan in self.plans:
            plan.group = ""
        if self.chance.random() < 0.5 and len(self.plans) > 1:
            tied = self.chance.sample(self.plans, self.chance.randrange(2, len(self.plans) + 1))
            for plan in tied:
                plan.group, plan.ranks, plan.trackers = "G", tied[0].ranks, tied[0].trackers
                plan.preempt, plan.preempt_delay_ns = tied[0].preempt, tied[0].preempt_delay_ns

    # ----------------------------------------------------------------------------------------- documents

    def _instance(self, plan: Plan, number: int) -> VrrpInstance:
        made = VrrpInstance(
            name=plan.name,
            vrid=plan.vrid,
            family=plan.family,
            interface=plan.interface,
            version=plan.version,
            start_as_master=False,
            base_priority=plan.ranks[number - 1],
            advertisement_interval_cs=plan.interval_cs,
            preempt_mode=plan.preempt,
            preempt_delay_ns=plan.preempt_delay_ns,
            higher_prio_send_advert=True,
            lower_prio_no_advert=plan.silent_to_lower,
            accept_mode=not plan.closed,
            multicast_group="224.0.0.18" if plan.family == 4 else "ff02::12",
            addresses=_addresses(plan, plan.addresses),
            excluded_addresses=_addresses(plan, plan.excluded),
            tracked_interfaces=plan.tracked_interfaces,
            trackers=plan.trackers,
            announcement=plan.announcement,
            sync_group=plan.group,
        )
        return self._spoken(made, plan, number)

    def _spoken(self, made: VrrpInstance, plan: Plan, number: int) -> VrrpInstance:
        """With what its kind adds."""
        if plan.kind == "unicast":
            others = (other for other in range(1, self.machines + 1) if other != number)
            peers = tuple(
                UnicastPeer(address=own_address(plan.interface, other, plan.family)) for other in others
            )  # fmt: skip
            return replace(made, unicast_peers=peers)
        if plan.kind == "hmac":
            key = HmacKey(identifier=1, secret=b"0123456789abcdef")
            settings = HmacSettings(keys=(key,), active=1, window_s=10, monotonic=False, mode=HmacMode.ENFORCE)
            return replace(made, hmac=settings)
        if plan.kind in ("pass", "ah"):
            return replace(made, authentication_data=b"secret\0\0", authentication_header=plan.kind == "ah")
        return made


_TRACKERS = (
    Tracker(kind=TrackerKind.SCRIPT, name="s1", weight=-100),
    Tracker(kind=TrackerKind.SCRIPT, name="s2"),
    Tracker(kind=TrackerKind.FILE, name="f1", weight=1),
    Tracker(kind=TrackerKind.INTERFACE, name="eth1", weight=20),
)


def own_address(interface: str, number: int, family: int) -> str:
    """Of machine `number` there."""
    lan = LANS.index(interface)
    return f"10.{lan}.0.{8 + number}" if family == 4 else f"fe80::{lan + 1}:{number}"


def _addresses(plan: Plan, lasts: tuple[int, ...]) -> tuple[VirtualAddress, ...]:
    lan = LANS.index(plan.interface)
    if plan.family == 4:
        made = (f"10.{100 + lan}.{plan.vrid}.{last}" for last in lasts)
    else:
        made = (f"fe80::{lan + 1}:{plan.vrid}:{last:x}" for last in lasts)
    prefix_len = 32 if plan.family == 4 else 128
    return tuple(VirtualAddress(address=one, prefix_len=prefix_len, interface=plan.interface) for one in made)
