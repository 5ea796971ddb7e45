"""`vrrp_instance` blocks to the model: defaults, inheritance from the globals, fix-ups. Reads no interface."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.builders.addresses import address_of, family_of
from pyhad.common.config.builders.authentication import with_authentication
from pyhad.common.config.builders.election import OWNER, highest_other, interval_cs, lease_s, preemption, priority_of
from pyhad.common.config.builders.globals import Globals, says_all
from pyhad.common.config.builders.holdings import Holdings, entries, tracked_interfaces
from pyhad.common.config.builders.strict import with_rules
from pyhad.common.config.builders.unicast import peer_lines, peer_of, roams, with_unicast
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import Announcement, VrrpInstance
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True)
class _Place:
    """What one virtual router is on the wire: two of the same cannot be (FSM-15)."""

    vrid: int
    interface: str
    family: int
    group: str
    """By unicast: source and peer, for there they are told apart by who speaks to whom."""


def build_instances(root: Statement, shared: Globals, complaints: Complaints) -> tuple[VrrpInstance, ...]:
    """All instances that can be run."""
    names: dict[str, Statement] = {}
    places: dict[_Place, tuple[str, Statement]] = {}
    built: list[VrrpInstance] = []
    for statement in root.every("vrrp_instance"):
        name = statement.text()
        if name in names:
            first = names[name].at
            message = f"vrrp_instance '{name}' is defined twice: first at {first.file}:{first.line}"
            complaints.error(message, statement.at)
            continue
        names[name] = statement
        instance = _Instance(statement, shared, complaints).build()
        if instance is None:
            continue
        others = [places.setdefault(place, (name, statement)) for place in _places(instance)]
        for other in [other for other in others if other[1] is not statement][:1]:
            complaints.error(
                f"virtual_router_id {instance.vrid} is used twice on {instance.interface} (IPv{instance.family}): "
                f"by '{name}' and by '{other[0]}' at {other[1].at.file}:{other[1].at.line}",
                statement.at,
                hint="each virtual router of a segment needs its own virtual_router_id",
            )
        built.append(instance)
    return tuple(built)


def _places(instance: VrrpInstance) -> list[_Place]:
    lanes = [f"{instance.source_address} {peer.address}" for peer in instance.unicast_peers]
    return [
        _Place(instance.vrid, instance.interface or instance.vrf, instance.family, lane)
        for lane in lanes or [instance.multicast_group]
    ]


class _Instance:
    """One block on its way to the model."""

    def __init__(self, block: Statement, shared: Globals, complaints: Complaints) -> None:
        self._block = block
        self._shared = shared
        self._complaints = complaints
        self._name = block.text()
        self._interface = block.text_of("interface")
        self._family = self._find_family()

    def build(self) -> VrrpInstance | None:
        """The instance; None when it has errors."""
        block, shared, complaints = self._block, self._shared, self._complaints
        self._required()
        version = self._version()
        device = self._interface or shared.paths.default_interface
        addresses, excluded = Holdings(block, self._family, device, complaints).addresses(version)
        priority, wants_master = priority_of(block, complaints)
        preempt, preempt_delay_ns = preemption(block, priority, wants_master=wants_master, complaints=complaints)
        self._interface_usable()
        if not (self._interface or roams(block)) or not block.last("virtual_router_id"):
            return None
        instance = VrrpInstance(
            name=self._name,
            vrid=block.number_of("virtual_router_id", 0),
            family=self._family,
            interface=self._interface,
            version=version,
            start_as_master=priority == OWNER and wants_master,
            base_priority=priority,
            advertisement_interval_cs=interval_cs(block, version, complaints),
            down_timer_adverts=block.number_of("down_timer_adverts", shared.down_timer_adverts),
            highest_other_priority=highest_other(block, preempt=preempt, complaints=complaints),
            preempt_mode=preempt,
            preempt_delay_ns=preempt_delay_ns,
            higher_prio_send_advert=block.switch("higher_prio_send_advert", default=shared.higher_prio_send_advert),
            lower_prio_no_advert=block.switch("lower_prio_no_advert", default=shared.lower_prio_no_advert),
            skip_check_adv_addr=block.switch("skip_check_adv_addr", default=shared.skip_check_adv_addr),
            checksum_pseudo_header=not block.switch("v3_checksum_as_v2", default=shared.checksum_as_v2),
            source_address=block.text_of("mcast_src_ip") or block.text_of("unicast_src_ip"),
            multicast_group=self._multicast_group(),
            addresses=addresses,
            excluded_addresses=excluded,
            tracked_interfaces=tracked_interfaces(block, self._interface, complaints),
            dont_track_primary=block.has("dont_track_primary"),
            announcement=self._announcement(),
        )
        return self._on_the_wire(instance)

    def _on_the_wire(self, instance: VrrpInstance) -> VrrpInstance:
        """What changes packets or whom they go to. A copy for each absent word would take as long as parsing."""
        instance = with_authentication(instance, self._block, self._complaints, self._shared.credentials)
        instance = with_unicast(instance, self._block, self._shared, self._complaints)
        if self._tracks_source(instance):
            instance = replace(instance, track_source=True)
        instance = with_rules(instance, self._block, self._shared, self._complaints)
        return replace(instance, vip_lease_s=lease_s(self._shared.vip_lease, instance))

    def _tracks_source(self, instance: VrrpInstance) -> bool:
        found = self._block.last("track_src_ip")
        lacks = "source address" if not instance.source_address else "" if instance.interface else "interface"
        if found is not None and lacks:
            self._complaints.warning(f"track_src_ip is ignored: '{self._name}' names no {lacks}", found.at)
        return found is not None and not lacks

    # ------------------------------------------------------------------------------------- what must be there

    def _find_family(self) -> int:
        """Of the source address, else of the first address; IPv4 without either."""
        if self._is_native_ipv6():
            return 6
        for source in ("mcast_src_ip", "unicast_src_ip"):
            if self._block.last(source):
                return family_of(self._block.text_of(source))
        for entry in peer_lines(self._block):
            if peer_of(entry):
                return family_of(peer_of(entry))
        return self._family_of_addresses() or 4

    def _family_of_addresses(self) -> int:
        """That of the first one; 0 without any."""
        named = (address_of(entry) for entry in entries(self._block, "virtual_ipaddress"))
        return next((family_of(address) for address in named if address), 0)

    def _is_native_ipv6(self) -> bool:
        """Not beside IPv4 addresses: keepalived refuses the word there, and goes on without it."""
        return self._block.has("native_ipv6") and self._family_of_addresses() != 4

    def _required(self) -> None:
        """FIX-1."""
        block = self._block
        if not block.given("virtual_router_id"):
            message = f"vrrp_instance '{self._name}' has no virtual_router_id"
            self._complaints.error(message, block.at, hint="add: virtual_router_id N, 1 to 255")
        if not block.given("interface") and not roams(block):
            message = f"vrrp_instance '{self._name}' has no interface"
            self._complaints.error(message, block.at, hint="add: interface IFNAME")

    def _sources_fit(self) -> None:
        native = self._block.last("native_ipv6")
        if native is not None and self._block.has("native_ipv6") and not self._is_native_ipv6():
            self._complaints.warning(f"native_ipv6 is ignored: '{self._name}' has IPv4 addresses", native.at)
        for word in ("mcast_src_ip", "unicast_src_ip"):
            found = self._block.last(word)
            if found is not None and family_of(found.text()) != self._family:
                message = f"{word}: '{found.text()}' is no IPv{self._family} address, and '{self._name}' uses that"
                self._complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)

    def _interface_usable(self) -> None:
        found = self._block.last("interface")
        if found is not None and self._interface == "lo":
            self._complaints.error("interface: VRRP cannot run on the loopback interface", found.at)
        self._sources_fit()

    def _multicast_group(self) -> str:
        """Of IPv6 the group must not leave the link (`ff02::/16`)."""
        found, shared = self._block.last("mcast_dst_ip"), self._shared
        if found is None:
            return shared.multicast_group if self._family == 4 else shared.multicast_group6
        group = found.text()
        if self._family == 4 and (family_of(group) != 4 or not 224 <= int(group.partition(".")[0]) <= 239):
            message = f"mcast_dst_ip: '{group}' is not an IPv4 multicast address"
            self._complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)
        elif self._family == 6 and not group.startswith("ff02:"):
            message = f"mcast_dst_ip: '{group}' is not an IPv6 link-local multicast address"
            self._complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)
        return group

    # ----------------------------------------------------------------------------- version and announcements

    def _version(self) -> int:
        """`version`, else `vrrp_version`; version 3 for IPv6 that names none, and always with `native_ipv6`."""
        if self._is_native_ipv6():
            return 3
        default = 3 if self._family == 6 else self._shared.version
        return self._block.number_of("version", default)

    def _announcement(self) -> Announcement:
        """NET-20 to NET-24: the instance's own, else the global ones; lower_prio as master unless said."""
        block, shared = self._block, self._shared
        base = shared.announcement
        lower_delay = base.master_delay_ns if shared.lower_prio_delay_ns is None else shared.lower_prio_delay_ns
        lower_repeat = base.master_repeat if shared.lower_prio_repeat is None else shared.lower_prio_repeat
        extra = block.last("garp_extra_if")
        return Announcement(
            master_delay_ns=block.number_of("garp_master_delay", base.master_delay_ns),
            master_repeat=block.number_of("garp_master_repeat", base.master_repeat),
            refresh_ns=block.number_of("garp_master_refresh", base.refresh_ns),
            refresh_repeat=block.number_of("garp_master_refresh_repeat", base.refresh_repeat),
            lower_prio_delay_ns=block.number_of("garp_lower_prio_delay", lower_delay),
            lower_prio_repeat=block.number_of("garp_lower_prio_repeat", lower_repeat),
            extra_ns=extra.number() if extra else base.extra_ns,
            extra_all=says_all(extra) if extra else base.extra_all,
        )
