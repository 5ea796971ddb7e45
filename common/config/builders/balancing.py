"""What concerns the data plane as a whole: timeouts, sync daemon, flushing; and the tunnel of an `lb_kind` line."""

from __future__ import annotations

from collections.abc import Mapping

from pyhad.common.config.builders.globals import merged_globals
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import (
    SECOND_NS,
    DataPlane,
    FlushAtStop,
    Forwarding,
    IpvsTimeouts,
    Marking,
    SyncDaemon,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancing:
    """Settings of the kernel's load balancing that belong to no service."""

    timeouts: IpvsTimeouts
    sync: SyncDaemon | None
    flush_at_stop: FlushAtStop
    marking: Marking | None = None

    @property
    def needs_owner(self) -> bool:
        """There is something to do even without services."""
        return self.sync is not None or self.timeouts != IpvsTimeouts()


NO_BALANCING = Balancing(timeouts=IpvsTimeouts(), sync=None, flush_at_stop=FlushAtStop.ENTRIES)


def build_balancing(root: Statement, vrids: Mapping[str, int], complaints: Complaints) -> Balancing:
    """From all `global_defs` blocks; the last word counts. `vrids`: those of the instances that run, by name."""
    timeouts = sync = flush = None
    for block in root.every("global_defs"):
        timeouts = block.last("lvs_timeouts") or timeouts
        sync = block.last("lvs_sync_daemon") or sync
        flush = block.last("lvs_flush_on_stop") or flush
    if merged_globals(root).text_of("pyhad_data_plane", "auto") == DataPlane.NFTABLES:
        _need_ipvs([one for one in (timeouts, sync) if one is not None], complaints)
    how = FlushAtStop.ENTRIES
    if flush is not None:
        how = FlushAtStop.SERVICES if flush.values else FlushAtStop.ALL
    return Balancing(
        timeouts=IpvsTimeouts(
            tcp_s=_number(timeouts, "tcp") // SECOND_NS,
            tcp_fin_s=_number(timeouts, "tcpfin") // SECOND_NS,
            udp_s=_number(timeouts, "udp") // SECOND_NS,
        ),
        sync=_sync(root, sync, vrids, complaints),
        flush_at_stop=how,
        marking=build_marking(merged_globals(root)),
    )


def build_marking(one: Statement) -> Marking | None:
    """`nftables_ipvs` and its companions; None without it."""
    found = one.last("nftables_ipvs")
    if found is None:
        return None
    plain = Marking()
    return Marking(
        table=found.text() if found.values else plain.table,
        priority=one.number_of("nftables_ipvs_priority", plain.priority),
        first_mark=one.number_of("nftables_ipvs_start_fwmark", plain.first_mark),
        counters=one.has("nftables_counters"),
    )


def _need_ipvs(statements: list[Statement], complaints: Complaints) -> None:
    """An error where the other data plane was asked for by name, as what it cannot do for a service is."""
    for one in statements:
        complaints.error(
            f"{one.keyword.name} needs IPVS: the nftables data plane has neither timeouts nor sync daemons of its own",
            one.at,
            hint="use pyhad_data_plane ipvs or auto",
            trouble=Trouble.INVALID_VALUE,
        )


def _number(statement: Statement | None, option: str) -> int:
    values = statement.options.get(option, ()) if statement is not None else ()
    return int(str(values[0])) if values else 0


def _sync(
    root: Statement, found: Statement | None, vrids: Mapping[str, int], complaints: Complaints
) -> SyncDaemon | None:
    """LVS-12. The word of a `vrrp_instance` (`lvs_sync_daemon_interface`) counts where the global one is missing."""
    if found is None:
        return _sync_of_instance(root, vrids, complaints)
    named = found.options.get("inst", ())
    instance = str(named[0]) if named else ""
    if instance and instance not in vrids:
        if any(block.text() == instance for block in root.every("vrrp_instance")):
            message = f"lvs_sync_daemon is left out: it follows vrrp_instance '{instance}', which is left out"
            complaints.warning(message, found.at)
            return None
        known = ", ".join(sorted(vrids)) or "there are none"
        message = f"lvs_sync_daemon follows vrrp_instance '{instance}', which is not defined"
        complaints.error(message, found.at, hint=f"known instances: {known}", trouble=Trouble.INVALID_VALUE)
        return None
    group = found.options.get("group", ())
    return SyncDaemon(
        interface=found.text(),
        sync_id=_number(found, "id") if found.options.get("id") else vrids.get(instance, 0),
        max_len=_number(found, "maxlen"),
        port=_number(found, "port"),
        ttl=_number(found, "ttl"),
        group=str(group[0]) if group else "",
        instance=instance,
    )


def _sync_of_instance(root: Statement, vrids: Mapping[str, int], complaints: Complaints) -> SyncDaemon | None:
    """Its sync id is 0, as keepalived 2.2.7 has it and not the VRID: another one's backup would not listen to us."""
    first: SyncDaemon | None = None
    for block in root.every("vrrp_instance"):
        found = block.last("lvs_sync_daemon_interface")
        if found is None or block.text() not in vrids:
            continue
        if first is not None:
            message = f"lvs_sync_daemon_interface is ignored: the sync daemon follows '{first.instance}' already"
            complaints.warning(message, found.at)
            continue
        first = SyncDaemon(interface=found.text(), instance=block.text())
    return first


def tunnel_of(statement: Statement | None, forwarding: Forwarding, complaints: Complaints) -> Tunnel:
    """The options of an `lb_kind`, `lvs_method` or `sorry_server_lvs_method` line (LVS-7).

    An option that does not go with the type is an error: a packet wrapped otherwise than asked for arrives nowhere.
    """
    if statement is None or not statement.options:
        return Tunnel()
    if forwarding is not Forwarding.TUNNEL:
        complaints.warning(f"tunnel options are ignored: lb_kind {forwarding} has no tunnel", statement.at)
        return Tunnel()
    named = statement.options.get("type", ())
    kind = TunnelType(str(named[0])) if named else TunnelType.IPIP
    port = _number(statement, "port")
    checksum = TunnelChecksum.NONE
    for one in (TunnelChecksum.FULL, TunnelChecksum.REMOTE):
        if one.value in statement.options:
            checksum = one
    problem = ""
    if kind is TunnelType.GUE and not port:
        problem = "a gue tunnel needs a port"
    elif kind is not TunnelType.GUE and port:
        problem = f"a tunnel of type {kind} has no port"
    elif checksum is TunnelChecksum.REMOTE and kind is not TunnelType.GUE:
        problem = f"remcsum is for gue only, not for {kind}"
    elif checksum is TunnelChecksum.FULL and kind is TunnelType.IPIP:
        problem = "an ipip tunnel has no checksum"
    if problem:
        complaints.error(
            problem, statement.at, hint="lb_kind TUN type gue port 6080 csum", trouble=Trouble.INVALID_VALUE
        )
    return Tunnel(type=kind, port=port, checksum=checksum)
