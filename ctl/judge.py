"""What may be believed of a status, and what is wrong in it. Pure: no clock, no output.

Everything pyhadctl says of a virtual router or service goes through `trust_of`: the last word of a process that is
dead, hung or does not answer is shown with its age and never counts as good.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import UTC, datetime

from pyhad.common.messages import ProcessStatus, ServiceStatus, StatusReply
from pyhad.common.records import dataclass
from pyhad.common.states import ProcessName, ProcessState, RouterState
from pyhad.ctl.exits import FINE, NOT_WELL, UNKNOWN
from pyhad.ctl.words import duration

STALE_NS = 1_000_000_000
"""A report that was as old as this when it was asked for is called old."""


class Part(enum.StrEnum):
    """What `pyhadctl status PART` can be limited to."""

    PROCESSES = "processes"
    VRRP = "vrrp"
    SERVICES = "vs"


ALL_PARTS = tuple(Part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whether the report of a process may be believed. `caution` is empty, or the reason why not, for a person."""

    needed: bool
    """False when the configuration does without this process."""
    trusted: bool
    age_ns: int
    """Of its last report; -1 without one."""
    caution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is not well. `kind` is a fixed token for programs."""

    kind: str
    subject: str
    text: str
    unknown: bool = False
    """It is not known how things are."""


def process_named(reply: StatusReply, name: ProcessName) -> ProcessStatus | None:
    """The row of that process."""
    return next((process for process in reply.processes if process.name is name), None)


def condition(process: ProcessStatus) -> str:
    """One plain word (or three) for the state of a process: never `running` for one that does not turn."""
    if process.state is ProcessState.ABSENT:
        return "not needed"
    if process.pid == 0:
        return "dead" if process.state is not ProcessState.STOPPED else "stopped"
    if process.silent:
        return "silent"
    return process.state.value


def trust_of(reply: StatusReply, name: ProcessName, now_ns: int) -> Trust:
    """May the last report of `name` be believed at `now_ns`?"""
    process = process_named(reply, name)
    if process is None or process.state is ProcessState.ABSENT:
        return Trust(needed=False, trusted=True, age_ns=-1, caution="")
    report = {ProcessName.VRRP: reply.vrrp, ProcessName.CHECKER: reply.checker, ProcessName.IPVS: reply.ipvs}.get(name)
    if report is None:
        state = condition(process)
        because = f"the {name} process is {state}" if state != "running" else f"the {name} process has not reported yet"
        return Trust(needed=True, trusted=False, age_ns=-1, caution=f"nothing known: {because}")
    age_ns = max(0, now_ns - report.taken_ns)
    waited_ns = reply.taken_ns - reply.asked_ns if reply.asked_ns else 0  # for another process, too
    why = _why_not(process, age_ns - waited_ns, reply.taken_ns, report.taken_ns)
    caution = f"as of {duration(age_ns)} ago, {why}" if why else ""
    return Trust(needed=True, trusted=not why, age_ns=age_ns, caution=caution)


def _why_not(process: ProcessStatus, unasked_ns: int, taken_ns: int, report_ns: int) -> str:
    if process.pid == 0 or process.silent:
        return f"the {process.name} process is {condition(process)}"
    if report_ns < taken_ns - process.uptime_ns:
        return f"before the {process.name} process was replaced"
    if unasked_ns > STALE_NS:
        return f"the {process.name} process does not answer"
    return ""


def problems(reply: StatusReply, now_ns: int, parts: tuple[Part, ...] = ALL_PARTS) -> tuple[Problem, ...]:
    """All that is not well in these parts, worst knowledge first as the parts come."""
    found: list[Problem] = []
    if not reply.last_reload_ok:
        found.append(Problem(kind="reload_failed", subject="configuration", text="the last reload was refused"))
    if Part.PROCESSES in parts:
        found += _process_problems(reply)
    said = {problem.subject for problem in found}
    if Part.VRRP in parts:
        found += _report_problems(reply, (ProcessName.VRRP,), now_ns, said)
        if trust_of(reply, ProcessName.VRRP, now_ns).trusted:  # else what was wrong then proves nothing now
            found += _router_problems(reply)
    if Part.SERVICES in parts:
        found += _report_problems(reply, (ProcessName.CHECKER, ProcessName.IPVS), now_ns, said)
        if trust_of(reply, ProcessName.IPVS, now_ns).trusted:
            found += _service_problems(reply)
        if trust_of(reply, ProcessName.CHECKER, now_ns).trusted:
            found += _check_problems(reply)
    return tuple(found)


def exit_code(found: tuple[Problem, ...]) -> int:
    """0 all is well, 1 something is not, 3 something is not known."""
    if any(problem.unknown for problem in found):
        return UNKNOWN
    return NOT_WELL if found else FINE


def _process_problems(reply: StatusReply) -> Iterator[Problem]:
    for process in reply.processes:
        state = condition(process)
        if state in ("not needed", "running"):
            continue
        text = f"the {process.name} process is {state}"
        if state == "silent":
            text += f": no turn of its loop for {duration(process.silent_ns)}"
        yield Problem(kind=f"process_{state}", subject=process.name, text=text, unknown=process.silent)


def _report_problems(
    reply: StatusReply, names: tuple[ProcessName, ...], now_ns: int, said: set[str]
) -> Iterator[Problem]:
    """Reports that cannot be believed, but for the processes in `said`, whose trouble has been told already."""
    for name in names:
        trust = trust_of(reply, name, now_ns)
        if not trust.trusted and name not in said:
            text = f"what the {name} process reported cannot be trusted: {trust.caution}"
            yield Problem(kind="report_untrusted", subject=name, text=text, unknown=True)


def _router_problems(reply: StatusReply) -> Iterator[Problem]:
    for router in reply.vrrp.routers if reply.vrrp else ():
        if router.state is RouterState.FAULT:
            because = f" ({router.reason})" if router.reason else ""
            yield Problem(kind="router_fault", subject=router.name, text=f"{router.name} is in FAULT{because}")
        elif router.admin and not router.master_address:
            text = f"{router.name} is held back by an operator, and no master is heard: nobody has its addresses"
            yield Problem(kind="standby_alone", subject=router.name, text=text)
        if router.missing:
            text = f"{router.name}: the kernel refuses {', '.join(router.missing)}"
            yield Problem(kind="path_refused", subject=router.name, text=text)
        for peer in router.peers:
            if peer.refused not in ("", "owner_ignored"):
                text = f"{router.name} drops the adverts of {peer.address} ({peer.refused}): both may be master"
                yield Problem(kind="peer_refused", subject=router.name, text=text)
    if reply.vrrp and reply.vrrp.statics.missing:
        text = f"static items are missing: {', '.join(reply.vrrp.statics.missing)}"
        yield Problem(kind="static_missing", subject="static", text=text)


def _service_problems(reply: StatusReply) -> Iterator[Problem]:
    if reply.ipvs and reply.ipvs.problem:
        yield Problem(kind="settings_refused", subject="ipvs", text=f"the kernel refused: {reply.ipvs.problem}")
    for service in reply.ipvs.services if reply.ipvs else ():
        if service.problem:
            text = f"{service.service}: the kernel refused: {service.problem}"
            yield Problem(kind="service_refused", subject=service.service, text=text)
        elif not service.quorum_up:
            up, total = servers_up(service)
            text = f"{service.service} has no quorum: {up} of {total} real servers up"
            yield Problem(kind="quorum_lost", subject=service.service, text=text)
        elif not service.installed:
            text = f"{service.service} is not in the data plane"
            yield Problem(kind="service_missing", subject=service.service, text=text)
        elif service.kept_in:
            up, total = servers_up(service)
            text = f"{service.service} is in panic: {up} of {total} real servers up, {service.kept_in} more stay in"
            yield Problem(kind="panic", subject=service.service, text=text)


_WARNINGS = {
    "slow": "answers slower than it should",
    "certificate_ends": "shows a certificate that ends soon",
    "certificate_ended": "shows a certificate that has ended",
}


def _check_problems(reply: StatusReply) -> Iterator[Problem]:
    """Servers that are up and warn all the same."""
    for health in reply.checker.servers if reply.checker else ():
        name, service = health.verdict.server, health.verdict.service
        for warning, check in {one: asked for asked in health.checks for one in asked.warnings}.items():
            if warning == "slow":
                figure = f"{check.latency_ns / 1_000_000:.0f} ms"
            else:
                figure = f"{datetime.fromtimestamp(check.certificate_until_s, UTC):%Y-%m-%d %H:%M} UTC"
            text = f"{name} of {service} {_WARNINGS.get(warning, warning)} ({check.kind}: {figure})"
            yield Problem(kind=f"check_{warning}", subject=name, text=text)


def servers_up(service: ServiceStatus) -> tuple[int, int]:
    """(up, all) of the real servers, the sorry server not counted."""
    real = [destination for destination in service.destinations if not destination.sorry]
    return sum(destination.up for destination in real), len(real)


def is_master(reply: StatusReply, name: str, now_ns: int) -> tuple[int, str]:
    """(exit code, sentence): 0 master, 1 not master, 3 no such instance or not to be trusted."""
    router = next((router for router in reply.vrrp.routers if router.name == name), None) if reply.vrrp else None
    trust = trust_of(reply, ProcessName.VRRP, now_ns)
    if not trust.needed:
        return UNKNOWN, f"no virtual router is configured, so none is called {name}"
    if not trust.trusted:
        said = f" {name} was {router.state}" if router else ""
        return UNKNOWN, f"not known:{said} {trust.caution}" if router else trust.caution
    if router is None:
        names = ", ".join(sorted(router.name for router in reply.vrrp.routers)) if reply.vrrp else ""
        return UNKNOWN, f"no virtual router is called {name}; there is {names or 'none'}"
    return (FINE if router.state is RouterState.MASTER else NOT_WELL), f"{name} is {router.state}"
