"""What concerns the data plane as a whole: timeouts, sync daemon, flushing; and the tunnel of an `lb_kind` line."""

from __future__ import annotations

from dataclasses import dataclass

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import (
    SECOND_NS,
    FlushAtStop,
    Forwarding,
    IpvsTimeouts,
    SyncDaemon,
    Tunnel,
    TunnelChecksum,
    TunnelType,
)
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Balancing:
    """Settings of the kernel's load balancing that belong to no service."""

    timeouts: IpvsTimeouts
    sync: SyncDaemon | None
    flush_at_stop: FlushAtStop


def build_balancing(root: Statement, complaints: Complaints) -> Balancing:
    """From all `global_defs` blocks; the last word counts."""
    timeouts = sync = flush = None
    for block in root.every("global_defs"):
        timeouts = block.last("lvs_timeouts") or timeouts
        sync = block.last("lvs_sync_daemon") or sync
        flush = block.last("lvs_flush_on_stop") or flush
    how = FlushAtStop.ENTRIES
    if flush is not None:
        how = FlushAtStop.SERVICES if flush.values else FlushAtStop.ALL
    return Balancing(
        timeouts=IpvsTimeouts(
            tcp_s=_number(timeouts, "tcp") // SECOND_NS,
            tcp_fin_s=_number(timeouts, "tcpfin") // SECOND_NS,
            udp_s=_number(timeouts, "udp") // SECOND_NS,
        ),
        sync=_sync(sync, complaints) if sync is not None else None,
        flush_at_stop=how,
    )


def _number(statement: Statement | None, option: str) -> int:
    values = statement.options.get(option, ()) if statement is not None else ()
    return int(str(values[0])) if values else 0


def _sync(statement: Statement, complaints: Complaints) -> SyncDaemon | None:
    """LVS-12. One that follows an instance is not run at all: both roles at once would not be what was asked for."""
    if statement.options.get("inst"):
        message = "lvs_sync_daemon is left out: it follows a VRRP instance, which is not acted on yet"
        hint = "without inst both daemons run, whatever the state"
        complaints.warning(message, statement.at, hint=hint, trouble=Trouble.NOT_YET)
        return None
    group = statement.options.get("group", ())
    return SyncDaemon(
        interface=statement.text(),
        sync_id=_number(statement, "id"),
        max_len=_number(statement, "maxlen"),
        port=_number(statement, "port"),
        ttl=_number(statement, "ttl"),
        group=str(group[0]) if group else "",
    )


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
