"""The table of the data plane: `pyhadctl vs` in the manner of `ipvsadm -Ln --stats` and `--rate`. Pure."""

from __future__ import annotations

from pyhad.common.messages import DestinationStatus, ServiceStatus, StatusReply
from pyhad.ctl.pools import Pool, Server, pools_of
from pyhad.ctl.words import safe

_NAMES = ("connections", "in_packets", "out_packets", "in_bytes", "out_bytes")
_COUNT_TITLES = ("Conns", "InPkts", "OutPkts", "InBytes", "OutBytes")
_RATE_TITLES = ("CPS", "InPPS", "OutPPS", "InBPS", "OutBPS")
_NAME = 34
_UNITS = ((10**17, 10**12, "T"), (10**14, 10**9, "G"), (10**11, 10**6, "M"), (10**8, 10**3, "K"))


def render_table(reply: StatusReply, *, rates: bool = False) -> str:
    """Every service with its servers: counters, or rates, as ipvsadm has them, then weight, health, and what operators
    did."""
    plane = reply.ipvs.data_plane if reply.ipvs is not None else "no data plane"
    lines = [
        f"Virtual servers ({plane})",
        _line("Prot LocalAddress:Port", *(_RATE_TITLES if rates else _COUNT_TITLES), "Sched"),
        _line("  -> RemoteAddress:Port", "", "", "", "", "", "Weight ActiveConn InActConn Health"),
    ]
    for pool in pools_of(reply):
        lines.append(_line(_title(pool), *_numbers(pool.service, rates), _service_remark(pool)))
        lines += [_server(server, rates) for server in pool.servers if server.destination is not None]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _line(name: str, *rest: str) -> str:
    *counts, remark = rest
    return f"{name:{_NAME}}" + "".join(f" {count:>8}" for count in counts) + (f"  {remark}" if remark else "")


def _title(pool: Pool) -> str:
    """`TCP  10.0.0.1:80`, `FWM  9/inet`, `GRP  NAME/tcp`."""
    name, _, protocol = pool.name.rpartition("/")
    kind, colon, rest = pool.name.partition(":")
    if colon and kind in ("fwmark", "group"):
        return safe(f"{'FWM' if kind == 'fwmark' else 'GRP'}  {rest}")
    return safe(f"{protocol.upper():4} {name}")


def _service_remark(pool: Pool) -> str:
    service = pool.service
    if service is None:
        return "not in the table"
    quorum = "" if service.quorum_up else ", no quorum"
    problem = f", {service.problem}" if service.problem else ""
    return safe(f"{service.scheduler}, {pool.up_count} of {pool.real_count} up{quorum}{problem}")


def _numbers(row: ServiceStatus | DestinationStatus | None, rates: bool) -> list[str]:
    of = row.rates if rates and row is not None else row
    return ["-" if of is None else _number(getattr(of, name)) for name in _NAMES]


def _server(server: Server, rates: bool) -> str:
    destination = server.destination
    assert destination is not None
    weight = str(destination.weight) if destination.weight >= 0 else "-"
    active, inactive = _number(destination.active_connections), _number(destination.inactive_connections)
    remark = f"{weight:<6} {active:<10} {inactive:<9} {_health(server, destination)}"
    return _line(f"  -> {safe(server.shown)}", *_numbers(destination, rates), remark)


def _health(server: Server, destination: DestinationStatus) -> str:
    word = "sorry" if server.sorry else "up" if server.up else "DOWN"
    if destination.operator_weight == 0:
        left = destination.active_connections
        return f"{word}, " + ("taken out" if destination.drained_out else "draining" if left > 0 else "drained")
    return f"{word}, weight by operator" if destination.operator_weight > 0 else word


def _number(value: int) -> str:
    """As ipvsadm shortens: digits as they are up to eight, then K, M, G, T."""
    if value < 0:
        return "-"
    for least, unit, letter in _UNITS:
        if value >= least:
            return f"{value // unit}{letter}"
    return str(value)
