"""What is allowed in one configuration and still likely to hurt. Pure: takes a compilation, gives diagnostics."""

from __future__ import annotations

from collections.abc import Iterator

from pyhad.common.config.compile import CompileResult
from pyhad.common.config.model import (
    SECOND_NS,
    CheckedServer,
    Configuration,
    HttpCheck,
    PingCheck,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from pyhad.common.config.source import Diagnostic, Location, Severity, Trouble
from pyhad.common.config.tree import Statement

SHORTEST_DOWN_NS = 100_000_000
"""Below this a busy machine or switch looks like a dead master."""

_SCRIPTS = ("notify", "notify_master", "notify_backup", "notify_fault", "notify_stop")


def lint_node(result: CompileResult) -> tuple[Diagnostic, ...]:
    """Findings about one good configuration; none about one with errors."""
    configuration, root = result.configuration, result.root
    if configuration is None:
        return ()
    return (
        *_instances(configuration, root),
        *_services(configuration, root),
        *_checks(configuration, root),
        *_unused_trackers(root),
        *_scripts_without_user(root),
    )


def warning(message: str, at: Location, hint: str) -> Diagnostic:
    """A finding of the linter."""
    return Diagnostic(Severity.WARNING, Trouble.GENERAL, message, at, hint)


# ---------------------------------------------------------------------------------------------------- VRRP


def _instances(configuration: Configuration, root: Statement) -> Iterator[Diagnostic]:
    blocks = {block.text(): block for block in root.every("vrrp_instance")}
    for instance in configuration.vrrp.instances:
        block = blocks[instance.name]
        yield from _short_interval(instance, block)
        if instance.base_priority == 255:
            found = block.last("priority") or block.last("state") or block
            yield warning(
                f"'{instance.name}' has priority 255: it counts as the owner of the addresses, always preempts "
                "and cannot be lowered by tracking",
                found.at,
                "use 254 or less unless the addresses are this node's own",
            )


def _short_interval(instance: VrrpInstance, block: Statement) -> Iterator[Diagnostic]:
    down_ns = instance.down_timer_adverts * instance.advertisement_interval_cs * 10_000_000
    if down_ns < SHORTEST_DOWN_NS:
        found = block.last("advert_int") or block
        yield warning(
            f"'{instance.name}': peers take over {down_ns / 1_000_000:g} ms after the last advert; a short stall "
            "of this machine or of the switch is enough, and addresses cannot be leased for less than a second",
            found.at,
            "use advert_int 0.05 or more, or a greater down_timer_adverts",
        )


# ------------------------------------------------------------------------------------------------ services


def _services(configuration: Configuration, root: Statement) -> Iterator[Diagnostic]:
    blocks = {f"{one.at.file}:{one.at.line}": one for one in root.every("virtual_server")}
    for service in configuration.ipvs.services:
        block = blocks.get(service.source)
        if block is None:
            continue
        if service.servers and not any(server.weight for server in service.servers):
            text = f"all servers of {service.id} have weight 0: it takes no new connection"
            yield warning(text, block.at, "give at least one server a weight")
        yield from _tight_quorum(service, block)


def _tight_quorum(service: VirtualServer, block: Statement) -> Iterator[Diagnostic]:
    weights = sum(server.weight for server in service.servers)
    found = block.last("quorum")
    if found is not None and len(service.servers) > 1 and service.quorum == weights and service.sorry_server is None:
        yield warning(
            f"quorum {service.quorum} needs every server of {service.id}: the loss of one takes the service down",
            found.at,
            "lower the quorum or add a sorry_server",
        )


def _checks(configuration: Configuration, root: Statement) -> Iterator[Diagnostic]:
    places = dict(_server_places(configuration, root))
    checked = {(one.service, one.server): one for one in configuration.checker.servers}
    for key, at in places.items():
        server = checked.get(key)
        if server is None or not server.checks:
            text = f"{key[1]} of {key[0]} has no check that acts: it is in the table whether it lives or not"
            yield warning(text, at, "add: TCP_CHECK { }")
        else:
            yield from _slow(server, at)


def _server_places(configuration: Configuration, root: Statement) -> Iterator[tuple[tuple[str, str], Location]]:
    blocks = {f"{one.at.file}:{one.at.line}": one for one in root.every("virtual_server")}
    for service in configuration.ipvs.services:
        block = blocks.get(service.source)
        for real in block.every("real_server") if block else ():
            address = real.text()
            for server in service.servers:
                is_it = address in (server.address, server.name)
                if is_it and (len(real.values) < 2 or real.values[1] in (server.port, 0)):
                    yield (service.id, server.id), real.at


def _slow(server: CheckedServer, at: Location) -> Iterator[Diagnostic]:
    for check in server.checks:
        if not isinstance(check, (TcpCheck, HttpCheck, PingCheck)):
            continue
        timing, timeout_ns = check.timing, check.target.connect_timeout_ns
        rounds = timing.retry + 1
        longest_ns = rounds * timeout_ns + timing.retry * timing.delay_before_retry_ns
        if longest_ns > timing.delay_loop_ns:
            yield warning(
                f"a dead {server.server} is noticed only {_s(longest_ns)} after a check began ({rounds} tries of "
                f"{_s(timeout_ns)}), longer than the delay_loop of {_s(timing.delay_loop_ns)}",
                at,
                "lower connect_timeout, retry or delay_before_retry",
            )


def _s(span_ns: int) -> str:
    return f"{span_ns / SECOND_NS:g} s"


# ------------------------------------------------------------------------------------------ trackers, scripts


def _unused_trackers(root: Statement) -> Iterator[Diagnostic]:
    """Of scripts the compiler says so: they do not even run."""
    used = set(_tracked_names(root))
    for block in root.every("vrrp_track_process"):
        if ("track_process", block.text()) not in used:
            text = f"vrrp_track_process '{block.text()}' is tracked by nothing: it can never matter"
            yield warning(text, block.at, "name it in a track_process block, or remove it")


def _tracked_names(root: Statement) -> Iterator[tuple[str, str]]:
    for owner in (*root.every("vrrp_instance"), *root.every("vrrp_sync_group")):
        for child in owner.children:
            if child.name.startswith("track_"):
                yield from ((child.name, entry.line.words[0].text) for entry in child.children)


def _scripts_without_user(root: Statement) -> Iterator[Diagnostic]:
    if any(block.given("script_user") for block in root.every("global_defs")):
        return
    for block in (*root.every("vrrp_script"), *root.every("vrrp_instance"), *root.every("vrrp_sync_group")):
        found = block.last("script") or next((one for name in _SCRIPTS if (one := block.last(name))), None)
        if found is not None and not block.given("user") and len(found.line.words) < 3:
            text = f"'{found.name}' names no user and there is no script_user: keepalived would run it as root"
            yield warning(text, found.at, "add to global_defs: script_user USER, and enable_script_security")
            return
