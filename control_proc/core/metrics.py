"""Metrics in the OpenMetrics text format, made of a status. Pure.

Names of ours begin with `pyhad_`. Those that begin with `keepalived_` are what the exporters for keepalived are known
to offer, so that dashboards and alerts go on working.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from pyhad.common.messages import CheckerStatus, DestinationStatus, IpvsStatus, ProcessStatus, ServiceStatus
from pyhad.common.states import ProcessState, RouterState
from pyhad.control_proc.core.sight import HMAC_STATISTICS, LAST_STATISTICS, NUMBERS, STATISTICS, Router, Sight

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SECOND_NS = 1_000_000_000
_NAMES = (*STATISTICS, *HMAC_STATISTICS, *LAST_STATISTICS)
Labels = dict[str, str]


class _Page:
    """Families in the order in which they are first named, each with its samples."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[str, str]] = {}
        self._samples: dict[str, list[str]] = {}

    def family(self, name: str, kind: str, help_text: str) -> None:
        """Declare it; one without samples is left out."""
        self._kinds.setdefault(name, (kind, help_text))

    def add(self, family: str, labels: Labels, value: float, suffix: str = "") -> None:
        """One sample."""
        self.put(family, _inner(labels), value, suffix)

    def put(self, family: str, inner: str, value: float, suffix: str = "") -> None:
        """One sample whose labels have been written already."""
        number = repr(value) if isinstance(value, float) else str(int(value))
        labels = f"{{{inner}}}" if inner else ""
        self._samples.setdefault(family, []).append(f"{family}{suffix}{labels} {number}\n")

    def text(self) -> Generator[None, None, str]:
        """The whole page, family by family. The samples are gone then."""
        pieces: list[str] = []
        for name, (kind, help_text) in self._kinds.items():
            if name in self._samples:
                pieces.append(f"# TYPE {name} {kind}\n# HELP {name} {_escaped(help_text)}\n")
                pieces.append("".join(self._samples.pop(name)))
                yield
        return "".join([*pieces, "# EOF\n"])


def _inner(labels: Labels) -> str:
    return ",".join([f'{name}="{_escaped(text)}"' for name, text in labels.items()])


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def render(sight: Sight) -> Generator[None, None, str]:
    """The page, service by service: where it yields, something else may be done. Raises `WireError`."""
    page = _Page()
    _daemon(page, sight)
    _processes(page, sight)
    _routers(page, sight)
    _trackers(page, sight)
    if sight.status.ipvs is not None:
        yield from _balancing(page, sight.status.ipvs)
    if sight.status.checker is not None:
        yield from _checks(page, sight.status.checker)
        _workers(page, sight.status.checker)
    _counters(page, sight)
    return (yield from page.text())


def _daemon(page: _Page, sight: Sight) -> None:
    status = sight.status
    page.family("pyhad", "info", "The daemon that answers.")
    page.add("pyhad", {"version": status.version, "router_id": status.router_id}, 1, "_info")
    page.family("keepalived_up", "gauge", "1 when the virtual routers were seen at work just now.")
    page.add("keepalived_up", {}, int(_is_well(sight, "vrrp")))
    page.family("pyhad_config_generation", "gauge", "Rises by one with each reload that was tried.")
    page.add("pyhad_config_generation", {}, status.config_generation)
    page.family("pyhad_last_reload_ok", "gauge", "0 when the last reload was refused.")
    page.add("pyhad_last_reload_ok", {}, int(status.last_reload_ok))
    page.family("pyhad_last_reload_timestamp_seconds", "gauge", "When the last reload ended.")
    if status.last_reload_ns:
        page.add("pyhad_last_reload_timestamp_seconds", {}, sight.wall_s(status.last_reload_ns))


def _is_well(sight: Sight, name: str) -> bool:
    return any(one.name == name and _is_up(one) for one in sight.status.processes)


def _is_up(process: ProcessStatus) -> bool:
    return process.state is ProcessState.RUNNING and not process.silent


def _processes(page: _Page, sight: Sight) -> None:
    page.family("pyhad_process_up", "gauge", "1 when its loop turned within the last second.")
    page.family("pyhad_process_restarts", "counter", "How often it was replaced.")
    page.family("pyhad_process_uptime_seconds", "gauge", "Since it was started.")
    page.family("pyhad_process_turn_age_seconds", "gauge", "Since the last turn of its loop.")
    page.family("pyhad_process_worst_lateness_seconds", "gauge", "The latest that a timer ever ran in it.")
    for process in sight.status.processes:
        if process.state is ProcessState.ABSENT:
            continue
        labels = {"process": str(process.name)}
        page.add("pyhad_process_up", labels, int(_is_up(process)))
        page.add("pyhad_process_restarts", labels, process.restarts, "_total")
        page.add("pyhad_process_uptime_seconds", labels, process.uptime_ns / SECOND_NS)
        page.add("pyhad_process_turn_age_seconds", labels, process.silent_ns / SECOND_NS)
        page.add("pyhad_process_worst_lateness_seconds", labels, process.late_ns / SECOND_NS)


def _routers(page: _Page, sight: Sight) -> None:
    page.family("pyhad_vrrp_state", "gauge", "1 for the state that it is in.")
    page.family("pyhad_vrrp_state_since_timestamp_seconds", "gauge", "When it entered this state.")
    page.family("pyhad_vrrp_priority", "gauge", "What it advertises now.")
    page.family("pyhad_vrrp_base_priority", "gauge", "As configured.")
    page.family("pyhad_vrrp_standby", "gauge", "1 while an operator holds it back.")
    page.family("keepalived_vrrp_state", "gauge", "0 INIT, 1 BACKUP, 2 MASTER, 3 FAULT, as in keepalived's JSON.")
    for name in _NAMES:
        page.family(f"pyhad_vrrp_{name}", "counter", f"keepalived's {name}.")
        page.family(f"keepalived_{name}", "unknown", f"As pyhad_vrrp_{name}_total.")
    page.family("keepalived_garp_delay", "gauge", "garp_master_delay in seconds.")
    for router in sight.routers():
        _router(page, router, sight)


def _router(page: _Page, router: Router, sight: Sight) -> None:
    config, status = router.config, router.status
    labels = {
        "instance": config.name,
        "vrid": str(config.vrid),
        "interface": config.interface,
        "family": str(config.family),
    }
    theirs = {"iname": config.name, "intf": config.interface, "vrid": str(config.vrid)}
    for state in RouterState:
        page.add("pyhad_vrrp_state", {**labels, "state": state.value.lower()}, int(status.state is state))
    page.add("pyhad_vrrp_state_since_timestamp_seconds", labels, sight.wall_s(status.since_ns))
    page.add("pyhad_vrrp_priority", labels, status.effective_priority)
    page.add("pyhad_vrrp_base_priority", labels, status.base_priority)
    page.add("pyhad_vrrp_standby", labels, int(status.admin == "standby"))
    page.add("keepalived_vrrp_state", theirs, NUMBERS[status.state])
    for name in router.statistics:
        page.add(f"pyhad_vrrp_{name}", labels, status.counters.get(name, 0), "_total")
        page.add(f"keepalived_{name}", theirs, status.counters.get(name, 0))
    page.add("keepalived_garp_delay", theirs, config.announcement.master_delay_ns / SECOND_NS)


def _trackers(page: _Page, sight: Sight) -> None:
    page.family("pyhad_vrrp_tracked", "gauge", "What was last seen: 1 good, 0 bad, or the number in a file.")
    page.family("keepalived_script_status", "gauge", "1 when the script last succeeded.")
    for key, reading in (sight.status.vrrp.readings if sight.status.vrrp else {}).items():
        kind, _, name = key.partition(" ")
        if reading is not None:
            page.add("pyhad_vrrp_tracked", {"kind": kind, "name": name}, reading)
            if kind == "script":
                page.add("keepalived_script_status", {"name": name}, reading)


def _balancing(page: _Page, status: IpvsStatus) -> Iterator[None]:
    page.family("pyhad_service_quorum", "gauge", "1 while the service has its quorum.")
    page.family("pyhad_service_panic", "gauge", "Servers that are down and stay in the table for the panic threshold.")
    page.family("pyhad_service_installed", "gauge", "1 when the data plane has the service.")
    page.family("pyhad_server_up", "gauge", "Verdict of the checks.")
    page.family("pyhad_server_weight", "gauge", "Weight in the data plane; -1: not there.")
    page.family("pyhad_server_wanted_weight", "gauge", "Weight that it should have.")
    page.family("pyhad_server_active_connections", "gauge", "Open connections.")
    for kind in ("service", "server"):
        page.family(f"pyhad_{kind}_connections", "counter", "Connections since it is in the table.")
        for direction in ("in", "out"):
            page.family(f"pyhad_{kind}_{direction}_packets", "counter", "Packets since it is in the table.")
            page.family(f"pyhad_{kind}_{direction}_bytes", "counter", "Bytes since it is in the table.")
    for service in status.services:
        labels = {"service": service.service}
        page.add("pyhad_service_quorum", labels, int(service.quorum_up))
        page.add("pyhad_service_panic", labels, service.kept_in)
        page.add("pyhad_service_installed", labels, int(service.installed))
        _traffic(page, "service", _inner(labels), service)
        for server in service.destinations:
            each = _inner({**labels, "server": server.server})
            page.put("pyhad_server_up", each, int(server.up))
            page.put("pyhad_server_weight", each, server.weight)
            page.put("pyhad_server_wanted_weight", each, server.wanted_weight)
            if server.active_connections >= 0:
                page.put("pyhad_server_active_connections", each, server.active_connections)
            _traffic(page, "server", each, server)
        yield


def _traffic(page: _Page, kind: str, inner: str, row: ServiceStatus | DestinationStatus) -> None:
    """What is counted. Rates are not among it: who reads counters makes them."""
    counts = (
        ("connections", row.connections),
        ("in_packets", row.in_packets),
        ("out_packets", row.out_packets),
        ("in_bytes", row.in_bytes),
        ("out_bytes", row.out_bytes),
    )
    for name, count in counts:
        if count >= 0:
            page.put(f"pyhad_{kind}_{name}", inner, count, "_total")


def _workers(page: _Page, status: CheckerStatus) -> None:
    page.family("pyhad_checker_worker_up", "gauge", "0 while the process is replaced.")
    page.family("pyhad_checker_worker_checks", "gauge", "Checks that it runs.")
    page.family("pyhad_checker_worker_in_flight", "gauge", "Its probes that wait for an answer.")
    page.family("pyhad_checker_worker_restarts", "counter", "How often it was replaced.")
    page.family("pyhad_checker_worker_cpu_seconds", "counter", "CPU time since its start.")
    page.family("pyhad_checker_worker_lateness_seconds", "gauge", "Of its timers in the last minute.")
    for worker in status.workers:
        labels = {"worker": str(worker.number)}
        page.add("pyhad_checker_worker_up", labels, int(worker.pid != 0))
        page.add("pyhad_checker_worker_checks", labels, worker.checks)
        page.add("pyhad_checker_worker_in_flight", labels, worker.in_flight)
        page.add("pyhad_checker_worker_restarts", labels, worker.restarts, "_total")
        page.add("pyhad_checker_worker_cpu_seconds", labels, worker.cpu_ns / SECOND_NS, "_total")
        for quantile, late_ns in (("0.99", worker.late_p99_ns), ("1", worker.late_max_ns)):
            page.add("pyhad_checker_worker_lateness_seconds", {**labels, "quantile": quantile}, late_ns / SECOND_NS)


def _checks(page: _Page, status: CheckerStatus) -> Iterator[None]:
    page.family("pyhad_check_up", "gauge", "Outcome of one check.")
    page.family("pyhad_check_runs", "counter", "How often it ran.")
    page.family("pyhad_check_failures", "counter", "How often it failed.")
    page.family("pyhad_check_latency_seconds", "gauge", "How long the last one took.")
    page.family("pyhad_check_warning", "gauge", "1: up, but the answer was slow, or the certificate is near its end.")
    page.family("pyhad_check_certificate_end_timestamp_seconds", "gauge", "When the server's certificate ends.")
    for health in status.servers:
        seen: dict[str, int] = {}
        for check in health.checks:
            seen[check.kind] = seen.get(check.kind, 0) + 1
            labels = {
                "service": health.verdict.service,
                "server": health.verdict.server,
                "check": check.kind,
                "number": str(seen[check.kind]),
            }
            each = _inner(labels)
            page.put("pyhad_check_up", each, int(check.up))
            page.put("pyhad_check_runs", each, check.runs, "_total")
            page.put("pyhad_check_failures", each, check.failures, "_total")
            page.put("pyhad_check_latency_seconds", each, check.latency_ns / SECOND_NS)
            for warning in check.warnings:
                page.add("pyhad_check_warning", {**labels, "warning": warning}, 1)
            if check.certificate_until_s:
                page.put("pyhad_check_certificate_end_timestamp_seconds", each, check.certificate_until_s)
        yield


def _counters(page: _Page, sight: Sight) -> None:
    page.family("pyhad_events", "counter", "What else a process counts: refused frames, lost log lines.")
    for process, counters in _sources(sight):
        for name, count in sorted(counters.items()):
            page.add("pyhad_events", {"process": process, "event": name}, count, "_total")


def _sources(sight: Sight) -> Iterator[tuple[str, dict[str, int]]]:
    status = sight.status
    yield "control", status.counters
    for name, report in (("vrrp", status.vrrp), ("checker", status.checker), ("ipvs", status.ipvs)):
        if report is not None:
            yield name, report.counters
