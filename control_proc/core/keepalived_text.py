"""keepalived's text dumps: statistics (SIG-30) and data, with the labels that scripts look for. Pure.

What the data dump tells is what is known here; a line of keepalived's that has no counterpart is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.tracking import Notify, Program, TrackerKind
from pyhad.common.config.model.vmac import VmacKind
from pyhad.common.states import RouterState
from pyhad.control_proc.core import path_wording, wording
from pyhad.control_proc.core.sight import Router, Sight

_SECTIONS = (
    ("Advertisements", (("Received", "advert_rcvd"), ("Sent", "advert_sent"))),
    ("", (("Became master", "become_master"), ("Released master", "release_master"))),
    (
        "Packet Errors",
        (
            ("Length", "packet_len_err"),
            ("TTL", "ip_ttl_err"),
            ("Invalid Type", "invalid_type_rcvd"),
            ("Advertisement Interval", "advert_interval_err"),
            ("Address List", "addr_list_err"),
        ),
    ),
    (
        "Authentication Errors",
        (("Invalid Type", "invalid_authtype"), ("Type Mismatch", "authtype_mismatch"), ("Failure", "auth_failure")),
    ),
    (
        "Authentication Extension Errors",
        (
            ("Missing", "auth_ext_missing"),
            ("Malformed", "auth_ext_malformed"),
            ("Unknown Key", "auth_ext_unknown_key"),
            ("Invalid HMAC", "auth_ext_invalid_hmac"),
            ("Stale", "auth_ext_stale"),
            ("Replay", "auth_ext_replay"),
        ),
    ),
    ("Priority Zero", (("Received", "pri_zero_rcvd"), ("Sent", "pri_zero_sent"))),
)


def statistics(sight: Sight) -> str:
    """`keepalived.stats`."""
    return "".join(f"{line}\n" for router in sight.routers() for line in _statistics(router))


def _statistics(router: Router) -> Iterator[str]:
    yield f"VRRP Instance: {router.config.name}"
    for title, rows in _SECTIONS:
        known = [(label, router.statistics[name]) for label, name in rows if name in router.statistics]
        if title and known:
            yield f"  {title}:"
        yield from (f"{'    ' if title else '  '}{label}: {count}" for label, count in known)


def data(sight: Sight) -> dict[str, str]:
    """`keepalived.data` and its like, by what stands in the name before the extension."""
    texts = {"_parent": _lines(_globals(sight))}
    if sight.document.instances:
        texts[""] = _lines(_globals(sight)) + _lines(_topology(sight)) + _lines(_followed(sight))
    if sight.document.services:
        texts["_check"] = _lines(_globals(sight)) + _lines(_balancing(sight))
    return texts


def _lines(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _globals(sight: Sight) -> Iterator[str]:
    yield "------< Global definitions >------"
    yield f" Router ID = {sight.document.router_id}"
    yield f" Version = {sight.status.version}"
    yield from (f" Configuration file = {name}" for name in sight.document.files)


def _topology(sight: Sight) -> Iterator[str]:
    yield "------< VRRP Topology >------"
    for router in sight.routers():
        yield from _instance(router, sight)
    groups = sight.vrrp.groups if sight.vrrp else ()
    if groups:
        yield "------< VRRP Sync groups >------"
    states = {router.config.name: router.status.state for router in sight.routers()}
    for group in groups:
        members = {states.get(name, RouterState.INIT) for name in group.members}
        yield f" VRRP Sync Group = {group.name}, {members.pop() if len(members) == 1 else 'mixed'}"
        yield "   VRRP member instances :"
        yield from (f"     {name}" for name in group.members)


def _instance(router: Router, sight: Sight) -> Iterator[str]:
    config, status = router.config, router.status
    yield f" VRRP Instance = {config.name}"
    yield f"   VRRP Version = {config.version}"
    if config.family == 6:
        yield "   Using Native IPv6"
    if config.sync_group:
        yield f"   Sync group = {config.sync_group}"
    yield f"   State = {status.state}"
    yield "   Flags:" if config.unicast_peers or router.status.vmac else "   Flags: none"
    if config.unicast_peers:
        yield "     Using unicast"
    yield f"   Wantstate = {status.state}"
    yield f"   Last transition = {_moment(sight.wall_s(status.since_ns))}"
    yield from _interface(router)
    if router.words.strict:
        yield "   Enforcing strict VRRP compliance"
    if config.source_address:
        yield f"   Using src_ip = {config.source_address}"
    if not config.unicast_peers:
        yield f"   Multicast address {config.multicast_group}"
    if status.master_address and status.state is not RouterState.MASTER:
        yield f"   Master router = {status.master_address}"
        yield f"   Master priority = {status.master_priority}"
    yield from _settings(config)
    yield from _timing(router)
    yield from _addresses(router)
    yield from _trackers(config)
    yield f"   Using smtp notification = {_yes(router.words.smtp_alert)}"
    yield f"   Notify deleted = {'Deleted' if config.notify.reports_deleted else 'Fault'}"
    yield from _scripts(config.notify)
    yield f"   Notify priority changes = {str(config.notify.priority_changes).lower()}"


def _interface(router: Router) -> Iterator[str]:
    config, name = router.config, router.status.vmac
    if config.vmac is None or not name:
        yield f"   Interface = {config.interface}"
        return
    vmac, on_base = config.vmac, config.vmac_xmit_base
    is_up = str(router.status.state is not RouterState.FAULT).lower()
    if vmac.kind is VmacKind.IPVLAN:
        where = f"i/f address = {vmac.address}/{vmac.prefix_len}, " if vmac.address else ""
        yield f"   Use IPVLAN, i/f {name}, is_up = {is_up}, {where}type {vmac.mode}"
    else:
        yield f"   Use VMAC, i/f name {name}, is_up = {is_up}, xmit_base = {str(on_base).lower()}"
    kind = "ipvlan" if vmac.kind is VmacKind.IPVLAN else "vmac"
    yield f"   Interface = {name}, {kind} on {vmac.base}{', xmit base i/f' * on_base}"


def _timing(router: Router) -> Iterator[str]:
    config, status = router.config, router.status
    yield f"   Virtual Router ID = {config.vrid}"
    yield f"   Priority = {config.base_priority}"
    yield f"   Effective priority = {status.effective_priority}"
    yield f"   Total priority = {status.effective_priority}"
    own_cs = config.advertisement_interval_cs
    yield (
        f"   Advert interval = {own_cs // 100} sec"
        if config.version == 2
        else (f"   Advert interval = {own_cs * 10} milli-sec")
    )
    yield f"   Accept = {_able(router.words.accept)}"
    yield f"   Preempt = {_able(config.preempt_mode)}"
    if config.preempt_delay_ns:
        yield f"   Preempt delay = {wording.seconds(config.preempt_delay_ns)} secs"
    yield f"   Promote_secondaries = {_able(router.words.promote_secondaries)}"
    if config.version == 2:
        yield f"   Authentication type = {_authentication(config)}"


def _settings(config: VrrpInstance) -> Iterator[str]:
    announcement = config.announcement
    yield f"   Gratuitous ARP delay = {wording.seconds(announcement.master_delay_ns)}"
    yield f"   Gratuitous ARP repeat = {announcement.master_repeat}"
    yield f"   Gratuitous ARP refresh = {wording.seconds(announcement.refresh_ns)}"
    yield f"   Gratuitous ARP refresh repeat = {announcement.refresh_repeat}"
    yield f"   Gratuitous ARP lower priority delay = {wording.seconds(announcement.lower_prio_delay_ns)}"
    yield f"   Gratuitous ARP lower priority repeat = {announcement.lower_prio_repeat}"
    yield f"   Down timer adverts = {config.down_timer_adverts}"
    yield f"   Send advert after receive lower priority advert = {str(not config.lower_prio_no_advert).lower()}"
    yield f"   Send advert after receive higher priority advert = {str(config.higher_prio_send_advert).lower()}"


def _addresses(router: Router) -> Iterator[str]:
    config = router.config
    is_set = router.status.state is RouterState.MASTER
    yield f"   Virtual IP ({len(config.addresses)}):"
    name = router.status.vmac
    yield from (f"     {text}" for text in wording.addresses(config, config.addresses, name, is_set=is_set))
    if config.excluded_addresses:
        yield "   Virtual IP Excluded :"
        excluded = wording.addresses(config, config.excluded_addresses, name, is_set=is_set)
        yield from (f"     {text}" for text in excluded)
    if config.unicast_peers:
        yield "   Unicast Peer :"
        yield from (f"     {one.address} min_ttl {one.min_ttl} max_ttl {one.max_ttl}" for one in config.unicast_peers)
    if config.routes:
        yield "   Virtual Routes :"
        yield from (f"     {path_wording.route(one)}" for one in config.routes)
    if config.rules:
        yield "   Virtual Rules :"
        yield from (f"     {path_wording.rule(one)}" for one in config.rules)


def _trackers(config: VrrpInstance) -> Iterator[str]:
    interfaces = dict.fromkeys(wording.named_interfaces(config), 0)
    interfaces |= {one.name: one.weight for one in config.trackers if one.kind is TrackerKind.INTERFACE}
    if interfaces:
        yield "   Tracked interfaces :"
        yield from (f"     {name} weight {weight}" for name, weight in interfaces.items())
    for kind, title, gap in ((TrackerKind.SCRIPT, "scripts", " "), (TrackerKind.FILE, "files", ", ")):
        found = [one for one in config.trackers if one.kind is kind]
        if found:
            yield f"   Tracked {title} :"
            yield from (f"     {one.name}{gap}weight {one.weight}{' reverse' * one.reverse}" for one in found)


def _scripts(notify: Notify) -> Iterator[str]:
    named: tuple[tuple[str, Program | None], ...] = (
        ("Backup", notify.backup),
        ("Master", notify.master),
        ("Fault", notify.fault),
        ("Stop", notify.stop),
        ("Deleted", notify.deleted),
        ("Generic", notify.any_state),
        ("Master rx lower pri", notify.master_rx_lower_pri),
    )
    for title, program in named:
        if program is not None:
            account = f"uid:gid {program.uid}:{program.gid}"
            yield f"   {title} state transition script = {wording.command(program)}, {account}"


def _followed(sight: Sight) -> Iterator[str]:
    readings = sight.status.vrrp.readings if sight.status.vrrp else {}
    vrrp = sight.vrrp
    if vrrp is not None and vrrp.scripts:
        yield "------< VRRP Scripts >------"
    for script in vrrp.scripts if vrrp else ():
        good = readings.get(f"script {script.name}")
        yield f" VRRP Script = {script.name}"
        yield f"   Command = {wording.command(script.program)}"
        yield f"   Interval = {wording.seconds(script.interval_ns)} sec"
        yield f"   Timeout = {wording.seconds(script.timeout_ns)} sec"
        yield f"   Rise = {script.rise}"
        yield f"   Fall = {script.fall}"
        yield f"   Init state = {'failed' if script.init_fail else 'unknown'}"
        yield f"   Status = {'INIT' if good is None else 'GOOD' if good else 'BAD'}"
        yield f"   Script uid:gid = {script.program.uid}:{script.program.gid}"
        yield "   Tracking instances :"
        yield from _tracking(sight, TrackerKind.SCRIPT, script.name)
        yield "   State = idle"
    if vrrp is not None and vrrp.files:
        yield "------< VRRP Track files >------"
    for file in vrrp.files if vrrp else ():
        yield f" Track file = {file.name}"
        yield f"   File = {file.path}"
        yield f"   Status = {readings.get(f'file {file.name}') or 0}"
        yield "   Tracking instances :"
        yield from _tracking(sight, TrackerKind.FILE, file.name)


def _tracking(sight: Sight, kind: TrackerKind, name: str) -> Iterator[str]:
    for router in sight.routers():
        for one in router.config.trackers:
            if (one.kind, one.name) == (kind, name):
                yield f"     {router.config.name}, weight {one.weight}{' reverse' * one.reverse}"


def _balancing(sight: Sight) -> Iterator[str]:
    yield "------< LVS Topology >------"
    for service in sight.status.ipvs.services if sight.status.ipvs else ():
        yield f" VirtualServer = {service.service}"
        yield f"   lb_algo = {service.scheduler}"
        yield f"   lb_kind = {service.forwarding}"
        yield f"   Quorum = {'up' if service.quorum_up else 'down'}"
        for server in service.destinations:
            yield f"   RealServer = {server.server}"
            yield f"     State = {'UP' if server.up else 'DOWN'}"
            yield f"     Weight = {server.weight}, wanted {server.wanted_weight}"


def _authentication(config: VrrpInstance) -> str:
    if not config.authentication_data:
        return "none"
    return "IPSEC_AH" if config.authentication_header else "SIMPLE_PASSWORD"


def _moment(at_s: float) -> str:
    """`1795386453.512788 (Sun Nov 22 22:27:33.512788 2026)`, UTC."""
    at = datetime.fromtimestamp(at_s, UTC)
    return f"{at_s:.6f} ({at:%a %b %d %H:%M:%S.%f %Y})"


def _able(on: bool) -> str:
    return "enabled" if on else "disabled"


def _yes(on: bool) -> str:
    return "yes" if on else "no"
