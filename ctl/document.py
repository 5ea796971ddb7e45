"""The status as one JSON document for programs. Pure. Its schema is described in docs/operating.md.

Only ever extended within one schema number; order of fields is fixed; durations are seconds with `_s` in the name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pyhad.common.messages import (
    CheckStatus,
    DestinationStatus,
    Rates,
    RouterStatus,
    ServiceStatus,
    StaticStatus,
    StatusReply,
    WorkerStatus,
)
from pyhad.common.messages_peers import PeerStatus
from pyhad.common.states import ProcessName
from pyhad.ctl.judge import ALL_PARTS, Part, Trust, condition, problems, trust_of
from pyhad.ctl.look import repairs_document
from pyhad.ctl.pools import Pool, Server, pools_of

SCHEMA = 1
WRITTEN_APART = 4
"""Levels of the document down to the fields of a service and the servers in it."""
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def status_document(reply: StatusReply, now_ns: int, parts: tuple[Part, ...] = ALL_PARTS) -> dict[str, Any]:
    """The document of `pyhadctl status -j`."""
    document = _document(reply, now_ns, parts)
    if "services" in document:
        document["services"] = list(document["services"])
    return document


def status_text(reply: StatusReply, now_ns: int, parts: tuple[Part, ...] = ALL_PARTS) -> Iterator[str]:
    """The same as text, in pieces: of thousands of services there is one at a time."""
    yield from _pieces(_document(reply, now_ns, parts), "", WRITTEN_APART)
    yield "\n"


def _document(reply: StatusReply, now_ns: int, parts: tuple[Part, ...]) -> dict[str, Any]:
    """Its `services` are an iterator."""
    found = problems(reply, now_ns, parts)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "version": reply.version,
        "router_id": reply.router_id,
        "age_s": seconds(now_ns - reply.taken_ns),
        "well": not found,
        "known": not any(problem.unknown for problem in found),
        "problems": [
            {"kind": problem.kind, "subject": problem.subject, "text": problem.text, "unknown": problem.unknown}
            for problem in found
        ],
        "configuration": _configuration(reply, now_ns),
    }
    if Part.PROCESSES in parts:
        document["processes"] = _processes(reply)
    if Part.VRRP in parts:
        document["vrrp"] = _vrrp(reply, now_ns)
    if Part.SERVICES in parts:
        workers = [_worker(worker) for worker in reply.checker.workers] if reply.checker else []
        document["checker"] = {**_source(reply, ProcessName.CHECKER, reply.checker, now_ns), "workers": workers}
        document["data_plane"] = {
            "kind": reply.ipvs.data_plane if reply.ipvs else "",
            **_source(reply, ProcessName.IPVS, reply.ipvs, now_ns),
            "repairs": repairs_document(reply.ipvs.repairs if reply.ipvs else (), now_ns),
        }
        document["services"] = (_pool(pool, now_ns) for pool in pools_of(reply))
    document["control"] = {"counters": dict(reply.counters)}
    return document


def to_text(document: Mapping[str, Any]) -> str:
    """Readable JSON with a final newline."""
    return "".join(_pieces(document, "", WRITTEN_APART)) + "\n"


def _pieces(value: Any, pad: str, depth: int) -> Iterator[str]:
    """Fields and items on lines of their own, so many levels deep; what is within has one line. `json` with an indent
    takes ten times as long."""
    if depth and isinstance(value, Mapping) and value:
        start = "{\n"
        for name, one in value.items():
            yield f"{start}{pad}  {_ENCODER.encode(name)}: "
            yield from _pieces(one, pad + "  ", depth - 1)
            start = ",\n"
        yield f"\n{pad}}}"
    elif depth and isinstance(value, list | Iterator):
        start = "[\n"
        for one in value:
            yield f"{start}{pad}  "
            yield from _pieces(one, pad + "  ", depth - 1)
            start = ",\n"
        yield "[]" if start == "[\n" else f"\n{pad}]"
    else:
        yield _ENCODER.encode(value)


def seconds(span_ns: int) -> float:
    """ns as seconds, to the millisecond."""
    return round(span_ns / 1_000_000_000, 3)


def _configuration(reply: StatusReply, now_ns: int) -> dict[str, Any]:
    return {
        "files": list(reply.config_files),
        "generation": reply.config_generation,
        "last_reload": {
            "ok": reply.last_reload_ok,
            "error": reply.last_reload_error,
            "age_s": seconds(now_ns - reply.last_reload_ns) if reply.last_reload_ns else None,
            "goes_back_in_s": seconds(max(0, reply.confirm_until_ns - now_ns)) if reply.confirm_until_ns else None,
        },
    }


def _processes(reply: StatusReply) -> list[dict[str, Any]]:
    return [
        {
            "name": process.name.value,
            "condition": condition(process),
            "state": process.state.value,
            "pid": process.pid,
            "uptime_s": seconds(process.uptime_ns),
            "restarts": process.restarts,
            "silent": process.silent,
            "last_turn_age_s": seconds(process.silent_ns),
            "worst_lateness_s": round(process.late_ns / 1_000_000_000, 6),
            "lateness_p99_s": round(process.late_p99_ns / 1_000_000_000, 6),
            "lateness_max_s": round(process.late_max_ns / 1_000_000_000, 6),
            "scheduling": process.scheduling,
        }
        for process in reply.processes
    ]


def _source(reply: StatusReply, name: ProcessName, report: Any, now_ns: int) -> dict[str, Any]:
    trust: Trust = trust_of(reply, name, now_ns)
    return {
        "needed": trust.needed,
        "trusted": trust.trusted,
        "caution": trust.caution,
        "age_s": seconds(trust.age_ns) if trust.age_ns >= 0 else None,
        "generation": report.generation if report is not None else None,
        "counters": dict(report.counters) if report is not None else {},
    }


def _vrrp(reply: StatusReply, now_ns: int) -> dict[str, Any]:
    routers = reply.vrrp.routers if reply.vrrp else ()
    return {
        **_source(reply, ProcessName.VRRP, reply.vrrp, now_ns),
        "routers": [_router(router, now_ns) for router in routers],
        "static": _static(reply.vrrp.statics if reply.vrrp else StaticStatus()),
    }


def _static(statics: StaticStatus) -> dict[str, Any]:
    return {
        "addresses": list(statics.addresses),
        "routes": list(statics.routes),
        "rules": list(statics.rules),
        "missing": list(statics.missing),
    }


def _router(router: RouterStatus, now_ns: int) -> dict[str, Any]:
    return {
        "name": router.name,
        "state": router.state.value,
        "since_s": seconds(now_ns - router.since_ns),
        "reason": router.reason,
        "vrid": router.vrid,
        "family": router.family,
        "version": router.version,
        "interface": router.interface,
        "vmac": router.vmac,
        "priority": {"base": router.base_priority, "effective": router.effective_priority},
        "master": {"address": router.master_address, "priority": router.master_priority},
        "addresses": list(router.addresses),
        "routes": list(router.routes),
        "rules": list(router.rules),
        "missing": list(router.missing),
        "advert_interval_s": router.advert_interval_cs / 100,
        "counters": dict(router.counters),
        "admin": router.admin,
        "standby_left_s": seconds(router.standby_until_ns - now_ns) if router.standby_until_ns else None,
        "peers": [_peer(peer, now_ns) for peer in router.peers],
    }


def _peer(peer: PeerStatus, now_ns: int) -> dict[str, Any]:
    return {
        "address": peer.address,
        "since_s": seconds(now_ns - peer.since_ns),
        "version": peer.version,
        "priority": peer.priority,
        "advert_interval_s": peer.advert_interval_cs / 100,
        "addresses": list(peer.addresses),
        "authentication": peer.authentication,
        "checksum": peer.checksum,
        "refused": peer.refused,
        "differences": list(peer.differences),
    }


def _worker(worker: WorkerStatus) -> dict[str, Any]:
    return {
        "worker": worker.number,
        "pid": worker.pid,
        "checks": worker.checks,
        "in_flight": worker.in_flight,
        "restarts": worker.restarts,
        "last_word_age_s": seconds(worker.silent_ns),
        "lateness_p99_s": seconds(worker.late_p99_ns),
        "lateness_max_s": seconds(worker.late_max_ns),
        "cpu_s": seconds(worker.cpu_ns),
    }


def _pool(pool: Pool, now_ns: int) -> dict[str, Any]:
    service = pool.service
    return {
        "service": pool.name,
        "scheduler": service.scheduler if service else None,
        "forwarding": service.forwarding if service else None,
        "quorum_up": service.quorum_up if service else None,
        "panic": service is not None and service.kept_in > 0,
        "installed": service.installed if service else False,
        "problem": service.problem if service else "",
        "servers_up": pool.up_count,
        "servers_total": pool.real_count,
        "connections": {
            "active": _sum([server.destination.active_connections for server in pool.servers if server.destination]),
            "inactive": _sum(
                [server.destination.inactive_connections for server in pool.servers if server.destination]
            ),
            "total": _count(service.connections if service else -1),
        },
        "traffic": _traffic(service),
        "rates": _rates(service),
        "servers": [_server(server, now_ns) for server in pool.servers],
    }


def _server(server: Server, now_ns: int) -> dict[str, Any]:
    verdict = server.health.verdict if server.health else None
    destination = server.destination
    return {
        "server": server.name,
        "address": verdict.address if verdict else "",
        "moving_to": server.health.moving_to if server.health else "",
        "up": server.up,
        "sorry": server.sorry,
        "reason": verdict.reason if verdict else None,
        "since_s": seconds(now_ns - verdict.since_ns) if verdict else None,
        "in_table": destination is not None and destination.weight >= 0,
        "weight": destination.weight if destination and destination.weight >= 0 else None,
        "wanted_weight": _count(destination.wanted_weight if destination else -1),
        "operator_weight": _count(destination.operator_weight if destination else -1),
        "kept_in": destination is not None and destination.kept_in,
        "slow_start_left_s": _left(destination.slow_start_until_ns if destination else 0, now_ns),
        "drained_out": destination is not None and destination.drained_out,
        "drain_deadline_s": _left(destination.drain_deadline_ns if destination else 0, now_ns),
        "order_left_s": _left(destination.order_until_ns if destination else 0, now_ns),
        "connections": {
            "active": _count(destination.active_connections if destination else -1),
            "inactive": _count(destination.inactive_connections if destination else -1),
            "total": _count(destination.connections if destination else -1),
        },
        "traffic": _traffic(destination),
        "rates": _rates(destination),
        "checks": [_check(check, now_ns) for check in server.checks],
    }


def _left(at_ns: int, now_ns: int) -> float | None:
    return seconds(max(0, at_ns - now_ns)) if at_ns else None


def _traffic(row: ServiceStatus | DestinationStatus | None) -> dict[str, int | None]:
    names = ("in_packets", "out_packets", "in_bytes", "out_bytes")
    return {name: _count(getattr(row, name)) if row else None for name in names}


def _rates(row: ServiceStatus | DestinationStatus | None) -> dict[str, int] | None:
    """Each second; None where the data plane has none."""
    found = row.rates if row else None
    return {name: getattr(found, name) for name in Rates.__slots__} if found else None


def _sum(counts: list[int]) -> int | None:
    """Of those that are counted."""
    known = [count for count in counts if count >= 0]
    return sum(known) if known else None


def _check(check: CheckStatus, now_ns: int) -> dict[str, Any]:
    return {
        "kind": check.kind,
        "up": check.up,
        "reason": check.reason,
        "runs": check.runs,
        "failures": check.failures,
        "last_age_s": seconds(now_ns - check.last_ns) if check.last_ns else None,
        "latency_s": round(check.latency_ns / 1_000_000_000, 6),
        "certificate_end_timestamp_s": check.certificate_until_s or None,
        "warnings": list(check.warnings),
    }


def _count(count: int) -> int | None:
    return count if count >= 0 else None
