"""The status as a table for a person. Pure: the same reply, moment, width and colour give the same text.

Rule of the house: what is not known to be good is never green, and what cannot be trusted carries a question mark and,
in the heading of its part, its age and the reason.
"""

from __future__ import annotations

from pyhad.common.messages import (
    DestinationStatus,
    ProcessStatus,
    RouterStatus,
    StaticStatus,
    StatusReply,
    WorkerStatus,
)
from pyhad.common.states import ProcessName, RouterState
from pyhad.ctl.judge import ALL_PARTS, Part, Trust, condition, problems, trust_of
from pyhad.ctl.peers_table import peer_lines
from pyhad.ctl.pools import Pool, Server, pools_of
from pyhad.ctl.words import BOLD, GREEN, GREY, RED, YELLOW, Cell, Column, counted, duration, fold, paint, safe, table

_PROCESS_COLUMNS = (
    Column("NAME"),
    Column("STATE"),
    Column("PID", right=True),
    Column("UP FOR", right=True),
    Column("RESTARTS", right=True, drop=1),
    Column("LAST TURN", right=True),
    Column("WORST LATENESS", right=True, drop=2),
)
_ROUTER_COLUMNS = (
    Column("NAME"),
    Column("STATE"),
    Column("SINCE", right=True),
    Column("VRID", right=True, drop=1),
    Column("INTERFACE", drop=2),
    Column("PRIORITY", right=True),
    Column("MASTER", drop=3),
    Column("ADDRESSES"),
)
_SERVICE_COLUMNS = (
    Column("SERVICE / SERVER"),
    Column("HEALTH"),
    Column("WEIGHT", right=True),
    Column("ACTIVE", right=True),
    Column("INACTIVE", right=True, drop=1),
    Column("TOTAL", right=True, drop=2),
    Column("REMARKS"),
)
_ROUTER_STYLE = {RouterState.MASTER: GREEN, RouterState.BACKUP: "", RouterState.INIT: YELLOW, RouterState.FAULT: RED}


def render_status(
    reply: StatusReply, now_ns: int, *, width: int = 0, colour: bool = False, parts: tuple[Part, ...] = ALL_PARTS
) -> str:
    """The whole text, with a final newline. `width` 0: as wide as it comes."""
    lines = _header(reply, now_ns, width, colour)
    if Part.PROCESSES in parts:
        lines += ["", *_processes(reply, width, colour)]
    if Part.VRRP in parts:
        lines += ["", *_routers(reply, now_ns, width, colour)]
    if Part.SERVICES in parts:
        lines += ["", *_services(reply, now_ns, width, colour)]
    lines += ["", *_verdict(reply, now_ns, width, colour, parts)]
    return "\n".join(lines) + "\n"


# -------------------------------------------------------------------------------------------------- header


def _header(reply: StatusReply, now_ns: int, width: int, colour: bool) -> list[str]:
    facts = [f"{paint('pyhad', BOLD, colour)} {safe(reply.version)}"]
    if reply.router_id:
        facts.append(f"router {paint(safe(reply.router_id), BOLD, colour)}")
    age_ns = max(0, now_ns - reply.taken_ns)
    if age_ns > 1_000_000_000:
        facts.append(paint(f"as of {duration(age_ns)} ago", YELLOW, colour))
    files = ", ".join(safe(name) for name in reply.config_files) or "none"
    lines = ["   ".join(facts)]
    lines += _labelled("configuration", f"{files} (generation {reply.config_generation})", "", width, colour)
    return lines + _reload_lines(reply, now_ns, width, colour)


def _reload_lines(reply: StatusReply, now_ns: int, width: int, colour: bool) -> list[str]:
    if reply.confirm_until_ns:
        return _labelled("reload", _waiting(reply.confirm_until_ns - now_ns), YELLOW, width, colour)
    ago = f" {duration(now_ns - reply.last_reload_ns)} ago" if reply.last_reload_ns else ""
    if not reply.last_reload_ok:
        lines = _labelled("last reload", f"REFUSED{ago}, the configuration before it is in force:", RED, width, colour)
        return lines + [f"    {safe(line)}" for line in reply.last_reload_error.splitlines()]
    return _labelled("last reload", f"ok{ago}", "", width, colour) if ago else []


def _waiting(left_ns: int) -> str:
    if left_ns <= 0:
        return "was not confirmed: goes back to the configuration before it just now"
    return f"waits for confirmation, {duration(left_ns)} left; goes back by itself (keep it: pyhadctl reload confirm)"


def _labelled(label: str, text: str, style: str, width: int, colour: bool) -> list[str]:
    pad = 15
    pieces = fold(text, max(20, width - pad) if width else 0)
    heads = [paint(label, GREY, colour) + " " * (pad - len(label))] + [" " * pad] * (len(pieces) - 1)
    return [head + paint(piece, style, colour) for head, piece in zip(heads, pieces, strict=True)]


def _title(text: str, remark: str, cautions: list[str], width: int, colour: bool) -> list[str]:
    first = paint(text, BOLD, colour) + (f"  {paint(remark, GREY, colour)}" if remark else "")
    lines = [first]
    for caution in cautions:
        lines += [paint(f"  ! {piece}", RED, colour) for piece in fold(caution, width - 4 if width else 0)]
    return lines


# ----------------------------------------------------------------------------------------------- processes


def _processes(reply: StatusReply, width: int, colour: bool) -> list[str]:
    rows = []
    for process in reply.processes:
        rows.append(_process_row(process))
        if process.name is ProcessName.CHECKER and process.pid and reply.checker is not None:
            rows += [_worker_row(worker) for worker in reply.checker.workers]
    return _title("PROCESSES", "", [], width, colour) + table(_PROCESS_COLUMNS, rows, width, colour)


def _process_row(process: ProcessStatus) -> list[Cell]:
    state = condition(process)
    if state == "not needed":
        return [Cell(process.name, GREY), Cell(state, GREY), *[Cell("-", GREY)] * 5]
    good = state == "running"
    word, style = (state, GREEN) if good else (state.upper(), RED if process.silent else YELLOW)
    dead = process.pid == 0
    return [
        Cell(process.name),
        Cell(word, style),
        Cell("-" if dead else str(process.pid)),
        Cell("-" if dead else duration(process.uptime_ns)),
        Cell(str(process.restarts), YELLOW if process.restarts else ""),
        Cell(f"{duration(process.silent_ns)} ago" if process.silent_ns else "-", "" if good else style),
        Cell("-" if dead else _lateness(process.late_ns)),
    ]


def _worker_row(worker: WorkerStatus) -> list[Cell]:
    dead = worker.pid == 0
    return [
        Cell(f"  worker {worker.number}"),
        Cell("STARTING", YELLOW) if dead else Cell("running", GREEN),
        Cell("-" if dead else str(worker.pid)),
        Cell(f"{worker.checks} checks"),
        Cell(str(worker.restarts), YELLOW if worker.restarts else ""),
        Cell("-"),
        Cell("-" if dead else _lateness(worker.late_max_ns)),
    ]


def _lateness(span_ns: int) -> str:
    return f"{span_ns // 1_000_000}.{span_ns // 100_000 % 10} ms" if span_ns < 1_000_000_000 else duration(span_ns)


# ------------------------------------------------------------------------------------------------- routers


def _routers(reply: StatusReply, now_ns: int, width: int, colour: bool) -> list[str]:
    trust = trust_of(reply, ProcessName.VRRP, now_ns)
    cautions = [trust.caution] if trust.caution else []
    lines = _title("VIRTUAL ROUTERS", "" if trust.needed else "none configured", cautions, width, colour)
    if reply.vrrp is None:
        return lines
    rows = [_router_row(router, trust, now_ns) for router in reply.vrrp.routers]
    if rows:
        lines += table(_ROUTER_COLUMNS, rows, width, colour)
    lines += peer_lines(reply.vrrp.routers, now_ns, width, colour)
    return lines + _static(reply.vrrp.statics, colour)


def _router_row(router: RouterStatus, trust: Trust, now_ns: int) -> list[Cell]:
    state, style = router.state.value, _ROUTER_STYLE[router.state]
    if not trust.trusted:
        state, style = f"{state}?", YELLOW
    elif router.state is RouterState.FAULT and router.reason:
        state = f"{state} ({router.reason})"
    if router.admin:
        left = f", {duration(router.standby_until_ns - now_ns)} left" if router.standby_until_ns else ""
        state, style = f"{state} ({router.admin}{left})", YELLOW
    lowered = router.effective_priority != router.base_priority
    return [
        Cell(router.name),
        Cell(state, style),
        Cell(duration(now_ns - router.since_ns)),
        Cell(str(router.vrid)),
        Cell(f"{router.vmac} on {router.interface}" if router.vmac else router.interface),
        Cell(f"{router.effective_priority}/{router.base_priority}", YELLOW if lowered else ""),
        Cell(_master(router)),
        Cell(_held(router), RED if router.missing else ""),
    ]


def _held(router: RouterStatus) -> str:
    """The addresses, and how many routes and rules go with them."""
    counts = counted(routes=len(router.routes), rules=len(router.rules), refused=len(router.missing))
    return " ".join([*router.addresses, *([f"+ {counts}"] if counts else [])]) or "-"


def _static(statics: StaticStatus, colour: bool) -> list[str]:
    counts = counted(
        addresses=len(statics.addresses), routes=len(statics.routes), rules=len(statics.rules),
        missing=len(statics.missing),
    )  # fmt: skip
    return [paint(f"static: {counts}", RED if statics.missing else "", colour)] if counts else []


def _master(router: RouterStatus) -> str:
    if router.state is RouterState.MASTER:
        return f"this node {router.master_address}".rstrip()
    if not router.master_address:
        return "none known"
    return f"{router.master_address} ({router.master_priority})"


# ------------------------------------------------------------------------------------------------ services


def _services(reply: StatusReply, now_ns: int, width: int, colour: bool) -> list[str]:
    checker, plane = (trust_of(reply, name, now_ns) for name in (ProcessName.CHECKER, ProcessName.IPVS))
    cautions = [f"{head}: {trust.caution}" for head, trust in (("health", checker), ("table", plane)) if trust.caution]
    needed = checker.needed or plane.needed
    remark = (reply.ipvs.data_plane if reply.ipvs else "") if needed else "none configured"
    lines = _title("SERVICES", remark, cautions, width, colour)
    rows = []
    for pool in pools_of(reply):
        rows.append(_pool_row(pool, plane))
        rows += [_server_row(server, checker, plane, now_ns) for server in pool.servers]
    return lines + table(_SERVICE_COLUMNS, rows, width, colour) if rows else lines


def _pool_row(pool: Pool, plane: Trust) -> list[Cell]:
    service = pool.service
    counts = f"{pool.up_count} of {pool.real_count} up"
    if service is None:
        return [Cell(pool.name, BOLD), Cell("?", YELLOW), *[Cell("-")] * 4, Cell(f"{counts}, not in the table", YELLOW)]
    word, style = "up", GREEN
    remark = f"{service.scheduler} {service.forwarding}, {counts}"
    if service.problem:
        word, style, remark = "REFUSED", RED, f"{service.problem}; {remark}"
    elif not service.quorum_up:
        word, style = "NO QUORUM", RED
    elif not service.installed:
        word, style = "NOT THERE", RED
    elif service.kept_in:
        word, style = "PANIC", RED
    if not plane.trusted:
        word, style = f"{word}?", YELLOW
    return [Cell(pool.name, BOLD), Cell(word, style), Cell(""), *_totals(pool), Cell(remark)]


def _totals(pool: Pool) -> list[Cell]:
    table_side = [server.destination for server in pool.servers if server.destination is not None]
    sums = (
        [destination.active_connections for destination in table_side],
        [destination.inactive_connections for destination in table_side],
        [destination.connections for destination in table_side],
    )
    return [Cell(_sum(counts)) for counts in sums]


def _sum(counts: list[int]) -> str:
    """Of what is counted; `-` when nothing is."""
    known = [count for count in counts if count >= 0]
    return str(sum(known)) if known else "-"


def _server_row(server: Server, checker: Trust, plane: Trust, now_ns: int) -> list[Cell]:
    source = checker if server.health is not None else plane
    word, style = ("up", GREEN) if server.up else ("DOWN", RED)
    if server.sorry:
        word, style = "sorry", GREY
    elif not source.trusted:
        word, style = f"{word}?", YELLOW
    weight, weight_style = _weight(server.destination)
    return [
        Cell(f"  {server.shown}"),
        Cell(word, style),
        Cell(weight, weight_style),
        *_connections(server.destination),
        Cell(_server_remark(server, now_ns)),
    ]


def _weight(destination: DestinationStatus | None) -> tuple[str, str]:
    if destination is None:
        return "-", ""
    if destination.weight < 0:
        return "-", ""
    if destination.weight == destination.wanted_weight:
        return str(destination.weight), ""
    wants = destination.wanted_weight if destination.wanted_weight >= 0 else "none"
    return f"{destination.weight} (wants {wants})", YELLOW


def _connections(destination: DestinationStatus | None) -> list[Cell]:
    if destination is None:
        return [Cell("-")] * 3
    counts = (destination.active_connections, destination.inactive_connections, destination.connections)
    return [Cell("-" if count < 0 else str(count)) for count in counts]


def _server_remark(server: Server, now_ns: int) -> str:
    """Why it is as it is; silence when all is as it should be."""
    remarks = []
    if server.health is not None and not server.up:
        failing = [f"{check.kind}: {check.reason}" for check in server.checks if not check.up]
        reason = ", ".join(failing) or server.health.verdict.reason
        remarks.append(f"{reason}, down for {duration(now_ns - server.health.verdict.since_ns)}")
    if server.health is not None and server.health.moving_to:
        remarks.append(f"its name is {server.health.moving_to} now: not up there yet")
    destination = server.destination
    by_operator = destination is not None and destination.operator_weight >= 0
    if destination is not None and destination.weight < 0 and not destination.sorry and not destination.drained_out:
        remarks.append("not in the table" if server.up else "taken out")
    elif destination is not None and destination.sorry and destination.weight >= 0:
        remarks.append("serving instead")
    if destination is not None and destination.kept_in:
        remarks.append("kept in: panic threshold")
    if destination is not None and destination.slow_start_until_ns > now_ns:
        remarks.append(f"slow start, whole in {duration(destination.slow_start_until_ns - now_ns)}")
    if destination is not None and by_operator:
        remarks.append(_by_operator(destination, now_ns))
    return ", ".join(remarks)


def _by_operator(destination: DestinationStatus, now_ns: int) -> str:
    until_ns = destination.order_until_ns
    ends = f" for {duration(until_ns - now_ns)} more" if until_ns else ""
    if destination.operator_weight > 0:
        return f"weight {destination.operator_weight} by operator{ends}"
    if destination.drained_out:
        return f"drained, taken out{ends}"
    left = destination.active_connections
    deadline_ns = destination.drain_deadline_ns
    at_most = f", {duration(deadline_ns - now_ns)} at most" if deadline_ns else ""
    words = "drained" if left == 0 else "draining" if left < 0 else f"draining, {left} connections left"
    return words + at_most + ends


# ------------------------------------------------------------------------------------------------- verdict


def _verdict(reply: StatusReply, now_ns: int, width: int, colour: bool, parts: tuple[Part, ...]) -> list[str]:
    found = problems(reply, now_ns, parts)
    if not found:
        down = _servers_down(reply) if Part.SERVICES in parts else ""
        return [paint(f"In service, {down}.", YELLOW, colour) if down else paint("All is well.", GREEN, colour)]
    lines = [paint(f"NOT WELL ({len(found)}):", RED, colour)]
    for problem in found:
        pieces = fold(safe(problem.text), width - 4 if width else 0, "  ")
        lines += [f"  - {pieces[0]}", *(f"    {piece}" for piece in pieces[1:])]
    return lines


def _servers_down(reply: StatusReply) -> str:
    """How many real servers are down, in words; empty when none is."""
    real = [server for pool in pools_of(reply) for server in pool.servers if not server.sorry]
    down = sum(not server.up for server in real)
    return f"{down} of {len(real)} real servers down" if down else ""
