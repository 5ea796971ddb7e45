"""Settings of `global_defs` and of the bare words of the top level, with defaults. Builds no instance or service."""

from __future__ import annotations

from collections.abc import Mapping

from pyhad.common.config.model import SECOND_NS, Announcement, DataPlane
from pyhad.common.config.model.tracking import ReceiveBuffer
from pyhad.common.config.model.vmac import Firewall
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VmacGlobals:
    """How interfaces of our own are named, and what goes into nftables."""

    prefix: str
    addr_prefix: str
    firewall: Firewall


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """For static addresses, routes and rules."""

    default_interface: str
    """For static addresses that name none."""
    put_back: bool
    iproute_usr_dir: str
    iproute_etc_dir: str
    """Empty: where iproute2's tables of names usually are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Globals:
    """What instances, services and documents take from the global part; where it stands does not matter."""

    router_id: str
    credentials: str
    """Directory of systemd's credentials; empty: none were given."""
    daemon: str
    child_wait_ns: int
    version: int
    multicast_group: str
    multicast_group6: str
    check_unicast_source: bool
    down_timer_adverts: int
    strict: bool
    owner_ignores_adverts: bool
    skip_check_adv_addr: bool
    checksum_as_v2: bool
    lower_prio_no_advert: bool
    higher_prio_send_advert: bool
    dynamic_interfaces: bool
    startup_delay_ns: int
    delay_after_boot_ns: int
    monitor_buffer: ReceiveBuffer
    announcement: Announcement
    lower_prio_delay_ns: int | None
    """None: as the global delay after becoming master (NET-24)."""
    lower_prio_repeat: int | None
    vip_lease: str
    paths: PathSettings
    data_plane: DataPlane
    marks_groups: bool
    """`nftables_ipvs`."""
    flush_at_start: bool
    log_all_failures: bool
    checker_workers: int
    """-1: as many as the load asks for."""
    mails_faults: bool
    vmacs: VmacGlobals
    bfd_sessions: frozenset[str]
    track_files: Mapping[str, Statement]
    """The `track_file` blocks by name; of two of one name the last."""


def build_globals(root: Statement, router_id: str, credentials: str = "") -> Globals:
    """All `global_defs` blocks together; the last word counts. `router_id` is used when the file names none."""
    one = merged_globals(root)
    lower_delay = one.last("vrrp_garp_lower_prio_delay")
    lower_repeat = one.last("vrrp_garp_lower_prio_repeat")
    return Globals(
        router_id=one.text_of("router_id", router_id),
        credentials=credentials,
        daemon=root.text_of("instance"),
        child_wait_ns=root.number_of("child_wait_time", 5 * SECOND_NS),
        version=one.number_of("vrrp_version", 2),
        multicast_group=one.text_of("vrrp_mcast_group4", "224.0.0.18"),
        multicast_group6=one.text_of("vrrp_mcast_group6", "ff02::12"),
        check_unicast_source=one.has("vrrp_check_unicast_src"),
        strict=one.has("vrrp_strict"),
        owner_ignores_adverts=one.has("vrrp_owner_ignore_adverts"),
        down_timer_adverts=one.number_of("vrrp_down_timer_adverts", 3),
        skip_check_adv_addr=one.has("vrrp_skip_check_adv_addr"),
        checksum_as_v2=one.has("v3_checksum_as_v2"),
        lower_prio_no_advert=one.has("vrrp_lower_prio_no_advert"),
        higher_prio_send_advert=one.switch("vrrp_higher_prio_send_advert", default=True),
        dynamic_interfaces=one.has("dynamic_interfaces"),
        startup_delay_ns=one.number_of("vrrp_startup_delay", 0),
        delay_after_boot_ns=one.number_of("vrrp_delay_after_boot", 0),
        monitor_buffer=_monitor_buffer(one),
        announcement=_announcement(one),
        lower_prio_delay_ns=lower_delay.number() if lower_delay else None,
        lower_prio_repeat=lower_repeat.number() if lower_repeat else None,
        vip_lease=one.text_of("pyhad_vip_lease", "auto"),
        paths=_path_settings(one),
        data_plane=DataPlane(one.text_of("pyhad_data_plane", "auto")),
        marks_groups=one.has("nftables_ipvs"),
        flush_at_start=one.has("lvs_flush"),
        log_all_failures=one.has("checker_log_all_failures"),
        checker_workers=_workers(one.text_of("pyhad_checker_workers", "auto")),
        mails_faults=not one.has("no_email_faults"),
        vmacs=_vmacs(one),
        bfd_sessions=frozenset(block.text() for block in root.every("bfd_instance")),
        track_files=_track_files(root),
    )


def _workers(text: str) -> int:
    return -1 if text == "auto" else int(text)


def merged_globals(root: Statement) -> Statement:
    """All `global_defs` blocks as one."""
    one = Statement(root.keyword, root.line)
    for found in root.every("global_defs"):
        one.add(found.children)
    return one


def _vmacs(one: Statement) -> VmacGlobals:
    """VMAC-8, VMAC-21. nftables is used where it is needed, whether its words are there or not (VMAC-20)."""
    prefix = one.text_of("vmac_prefix", "vrrp")
    return VmacGlobals(
        prefix=prefix,
        addr_prefix=one.text_of("vmac_addr_prefix", prefix),
        firewall=Firewall(
            table=one.text_of("nftables", "keepalived"),
            priority=one.number_of("nftables_priority", -1),
            by_index=one.has("nftables_ifindex"),
            counters=one.has("nftables_counters"),
        ),
    )


def _track_files(root: Statement) -> dict[str, Statement]:
    return {
        block.text(): block
        for block in root.children
        if block.name in ("track_file", "vrrp_track_file") and not block.broken
    }


def _path_settings(one: Statement) -> PathSettings:
    return PathSettings(
        default_interface=one.text_of("default_interface", "eth0"),
        put_back=one.switch("pyhad_put_back", default=True),
        iproute_usr_dir=one.text_of("iproute_usr_dir"),
        iproute_etc_dir=one.text_of("iproute_etc_dir"),
    )


def _announcement(one: Statement) -> Announcement:
    """NET-20 to NET-27: `vrrp_min_garp` replaces the defaults, not what was written."""
    least = one.has("vrrp_min_garp")
    plain = Announcement()
    extra = one.last("vrrp_garp_extra_if")
    return Announcement(
        master_delay_ns=one.number_of("vrrp_garp_master_delay", 0 if least else plain.master_delay_ns),
        master_repeat=one.number_of("vrrp_garp_master_repeat", 1 if least else plain.master_repeat),
        refresh_ns=one.number_of("vrrp_garp_master_refresh", 0),
        refresh_repeat=one.number_of("vrrp_garp_master_refresh_repeat", 0 if least else plain.refresh_repeat),
        extra_ns=extra.number() if extra else 0,
        extra_all=extra is not None and says_all(extra),
    )


def _monitor_buffer(one: Statement) -> ReceiveBuffer:
    return ReceiveBuffer(
        size_bytes=one.number_of("vrrp_netlink_monitor_rcv_bufs", 0),
        beyond_limit=one.has("vrrp_netlink_monitor_rcv_bufs_force"),
    )


def says_all(statement: Statement) -> bool:
    """Whether `garp_extra_if` is to reach every interface, not only virtual MACs (NET-26)."""
    return "all" in statement.line.raw.split()[1:2]
