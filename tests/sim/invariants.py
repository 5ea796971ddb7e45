"""What must hold after every step of every node, whatever the network does and whoever dies.

1. Addresses are held exactly by Active routers (of living processes) and by routers that were Active and hand over,
   and none that no router has any more.
2. Who becomes Active advertises before it does anything else, then installs; who stops being Active removes its
   addresses exactly once and installs none after that. At once, or while it hands over: for no longer than the
   slowest successor and its stopper's patience allow, and than the grace after a successor was heard.
3. Who is not Active after a step has claimed nothing in it that a master would give way to: at most priority 1, or its
   own to somebody better that it gives way to. Priority 0 is sent only by who leaves Active for a fault or a shutdown
   (or was found Active by its successor).
4. After time passed no deadline is left in the past.
5. Once nothing disturbed the segment for a down interval: at least one Active per virtual router where somebody takes
   part, and two of them never for longer than a frame travels.
6. Whoever was frozen for longer than its peers' patience does not go on as Active.
7. A successor goes on as Active only if the silence of its predecessor was shorter than its peers' patience.
"""

from __future__ import annotations

from pyhad.common.config.model import VrrpInstance
from pyhad.common.states import RouterState
from pyhad.vrrp_proc.core.effects import (
    ChangeState,
    Effect,
    InstallAddresses,
    Reason,
    RemoveAddresses,
    SendAdvertisement,
)
from pyhad.vrrp_proc.core.events import (
    AdvertisementReceived,
    Event,
    FaultsChanged,
    ShutdownWanted,
    StandbyWanted,
    Startup,
    StepDownTogether,
    TimePassed,
)
from pyhad.vrrp_proc.core.states import Snapshot
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from tests.sim.lan import Lan
from tests.sim.node import Node
from tests.sim.world import World

GRACE_NS = 50_000_000


class Violation(AssertionError):
    """An invariant does not hold."""


class Invariants:
    """Watches these nodes. `down_interval_ns` is the longest of any of them."""

    def __init__(self, world: World, lan: Lan, nodes: list[Node], down_interval_ns: int) -> None:
        self.world = world
        self.lan = lan
        self.nodes = nodes
        self.down_interval_ns = down_interval_ns
        self.checked = 0
        self._parting: dict[tuple[str, int], tuple[int, int | None]] = {}
        self._odd_since_ns: dict[tuple[int, int], tuple[int, int]] = {}
        for node in nodes:
            node.watch = self.after_step

    def after_step(
        self, node: Node, router: VirtualRouter, before: Snapshot, event: Event, effects: list[Effect]
    ) -> None:
        """The watcher that nodes call."""
        self.checked += 1
        was_active = before.state is RouterState.MASTER
        is_active = router.router_state is RouterState.MASTER
        self._addresses(node, router, is_active)
        self._hands_over_in_time(node, router, event)
        if effects or was_active != is_active:
            check_effects(event, effects, was_active=was_active, is_active=is_active)
        deadline_ns = router.next_deadline_ns()
        if isinstance(event, TimePassed) and deadline_ns is not None and deadline_ns <= self.world.now_ns:
            self._fail(f"{node.name}: deadline {deadline_ns} is still in the past after time passed")
        if is_active and router.is_held_back(self.world.now_ns):
            self._fail(f"{node.name} is Active though an operator holds it back")
        if was_active and is_active and self.world.now_ns - before.last_sent_ns >= patience_ns(router.config):
            self._fail(f"{node.name} goes on as Active after {self.world.now_ns - before.last_sent_ns} ns of silence")
        if isinstance(event, Startup) and is_active:
            self._resumed_in_time(node, router, event)
        self._one_active(router.config.vrid)

    def _resumed_in_time(self, node: Node, router: VirtualRouter, event: Startup) -> None:
        config = router.config
        silent_ns = self.world.now_ns - event.last_sent_ns
        if not config.start_as_master and silent_ns >= (config.down_timer_adverts + 1) * config_interval_ns(config):
            self._fail(f"{node.name} goes on as Active after {silent_ns} ns of silence")

    def _addresses(self, node: Node, router: VirtualRouter, is_active: bool) -> None:
        known = {virtual.address for other in node.routers.values() for virtual in other.all_addresses}
        if node.table - known:
            self._fail(f"{node.name} holds {node.table - known}, which no router of it has")
        own = {virtual.address for virtual in router.all_addresses}
        held = node.table & own
        if not is_active:
            if held and not router.is_parting:
                self._fail(f"{node.name} holds {held} and is not Active")
        elif held != own:
            for address in own - held:
                if node.missing_until_ns.get(address, 0) < self.world.now_ns:
                    self._fail(f"{node.name} is Active without {address}")

    def _hands_over_in_time(self, node: Node, router: VirtualRouter, event: Event) -> None:
        key = (node.name, router.config.vrid)
        if not router.is_parting:
            self._parting.pop(key, None)
            return
        since_ns, heard_ns = self._parting.setdefault(key, (self.world.now_ns, None))
        if heard_ns is None and isinstance(event, AdvertisementReceived) and event.priority:
            heard_ns = self.world.now_ns
            self._parting[key] = since_ns, heard_ns
        longest_ns = min(longest_parting_ns(router.config), node.patience_ns)
        if self.world.now_ns > max(since_ns + longest_ns, node.thawed_ns) + node.lateness_ns:
            self._fail(f"{node.name} still holds what it gave up {self.world.now_ns - since_ns} ns ago")
        if heard_ns is not None and self.world.now_ns > max(heard_ns + GRACE_NS, node.thawed_ns) + node.lateness_ns:
            self._fail(f"{node.name} still holds what a successor claimed {self.world.now_ns - heard_ns} ns ago")

    def _one_active(self, vrid: int) -> None:
        active: dict[int, int] = {}
        taking_part: set[int] = set()
        for node in self.nodes:
            segment = self.lan.segment_of(node)
            router = node.routers.get(vrid)
            if router is None or segment is None or node.is_frozen:
                continue  # what does not turn takes no part, whatever its memory says
            state = router.router_state
            if state is RouterState.MASTER:
                active[segment] = active.get(segment, 0) + 1
                taking_part.add(segment)
            elif state is RouterState.BACKUP and not router.is_held_back(self.world.now_ns):
                taking_part.add(segment)
        for segment in taking_part:
            self._count(vrid, segment, active.get(segment, 0))

    def _count(self, vrid: int, segment: int, count: int) -> None:
        """An odd number of Active routers (none, or several) must not last."""
        key = (vrid, segment)
        if count == 1:
            self._odd_since_ns.pop(key, None)
            return
        since_ns, before = self._odd_since_ns.get(key, (self.world.now_ns, count))
        if before != count:
            since_ns = self.world.now_ns
        self._odd_since_ns[key] = (since_ns, count)
        quiet_since_ns = self.world.last_disturbance_ns + self.down_interval_ns
        travel_ns = 2 * self.lan.longest_delay_ns + 2 * max(node.lateness_ns for node in self.nodes)
        if self.world.now_ns > max(since_ns, quiet_since_ns) + travel_ns:
            self._fail(f"{count} Active routers of VRID {vrid} in segment {segment}, quiet for a down interval")

    def _fail(self, what: str) -> None:
        raise Violation(f"seed {self.world.seed}, {self.world.now_ns} ns: {what}")


def config_interval_ns(config: VrrpInstance) -> int:
    """The advertisement interval in ns, by a way of its own."""
    return config.advertisement_interval_cs * 10_000_000


def patience_ns(config: VrrpInstance) -> int:
    """What a peer of priority 254 waits: three intervals and 2/256 of a second or of an interval."""
    unit_ns = 1_000_000_000 if config.version == 2 else config_interval_ns(config)
    return config.down_timer_adverts * config_interval_ns(config) + unit_ns * 2 // 256


def longest_parting_ns(config: VrrpInstance) -> int:
    """Version 2: an interval and a second. Version 3: two intervals. No less than for a successor that was heard."""
    skew_ns = 1_000_000_000 if config.version == 2 else config_interval_ns(config)
    return max(config_interval_ns(config) + skew_ns, GRACE_NS)


def check_effects(event: Event, effects: list[Effect], *, was_active: bool, is_active: bool) -> None:
    """Invariants 2 and 3, of one step. Needs no world: the fuzz of the machine alone uses it too."""
    removals = [at for at, effect in enumerate(effects) if isinstance(effect, RemoveAddresses)]
    installs = [at for at, effect in enumerate(effects) if isinstance(effect, InstallAddresses)]
    releases = [effect for effect in effects if isinstance(effect, SendAdvertisement) and effect.priority == 0]
    if is_active and not was_active:
        adverts = [at for at, effect in enumerate(effects) if isinstance(effect, SendAdvertisement)]
        if len(installs) != 1 or not adverts or not adverts[0] < installs[0]:
            raise Violation(f"became Active by {effects}")
        if removals and removals[0] > adverts[0]:
            raise Violation(f"removed addresses after becoming Active: {effects}")
    if was_active and not is_active:
        keeps_all = isinstance(event, ShutdownWanted) and event.keep_addresses
        stays = keeps_all or (isinstance(event, ShutdownWanted | StandbyWanted) and event.patience_ns > 0)
        stays = stays or isinstance(event, StepDownTogether)
        frozen = any(isinstance(effect, ChangeState) and effect.reason is Reason.FROZEN for effect in effects)
        keeps = (stays or isinstance(event, AdvertisementReceived)) and not frozen
        if len(removals) != (0 if keeps else 1) or installs:
            raise Violation(f"left Active by {effects}")
    claims = [effect for effect in effects if isinstance(effect, SendAdvertisement) and effect.priority > 1]
    if claims and not is_active and not (was_active and isinstance(event, AdvertisementReceived)):
        raise Violation(f"not Active, and claims to be after {event}: {effects}")
    if releases:
        wishes = FaultsChanged | ShutdownWanted | StandbyWanted | StepDownTogether
        leaves = was_active and not is_active and isinstance(event, wishes)
        found = isinstance(event, Startup) and event.restored_active and not is_active
        if len(releases) > 1 or not (leaves or found):
            raise Violation(f"priority 0 after {event}: {effects}")
