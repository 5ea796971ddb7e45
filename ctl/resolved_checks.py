"""Virtual servers with their real servers and checks for `config show`: each value with its place. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyhad.common.config.builders.checks import ACTING
from pyhad.common.config.model import Check, CheckedServer, RealServer, VirtualServer
from pyhad.common.config.tree import Statement
from pyhad.ctl.written import place, row, written

_SERVICE = (
    ("lb_algo", "scheduler"),
    ("persistence_timeout", "persistence_timeout_s"),
    ("quorum", "quorum"),
    ("hysteresis", "hysteresis"),
    ("alpha", "alpha"),
)
_SERVER = (
    ("weight", "weight"),
    ("inhibit_on_failure", "inhibit_on_failure"),
    ("uthreshold", "upper_threshold"),
    ("lthreshold", "lower_threshold"),
)
_TIMING = (
    ("delay_loop", "delay_loop_ns"),
    ("retry", "retry"),
    ("delay_before_retry", "delay_before_retry_ns"),
    ("warmup", "warmup_ns"),
)
"""(word shown, field of the model)"""


def service_rows(service: VirtualServer, block: Statement | None, checked: dict[str, CheckedServer]) -> Iterator[str]:
    """One virtual server. `checked`: its real servers that have checks, by id."""
    yield f"virtual_server {service.id} {{  # {service.source}"
    for word, field in _SERVICE:
        yield row(f"{word} {shown(field, getattr(service, field))}", _last(word, block), "    ")
    if block is None:
        yield "}"
        return
    yield from written(block, "    ", frozenset({*(word for word, _ in _SERVICE), "real_server"}))
    left = list(block.every("real_server"))
    for server in service.servers:
        own = next((one for one in left if one.text() in (server.address, server.name)), None)
        if own is not None:
            left.remove(own)
            one = checked.get(server.id)
            yield from _server(server, own, block, one.checks if one is not None else ())
    yield "}"


def _server(server: RealServer, own: Statement, block: Statement, checks: Sequence[Check]) -> Iterator[str]:
    yield f"    real_server {server.id} {{  # {place(own)}"
    for word, field in _SERVER:
        yield row(f"{word} {shown(field, getattr(server, field))}", _last(word, own, block), "        ")
    yield row(f"lvs_method {server.forwarding}", _last("lvs_method", own) or _last("lb_kind", block), "        ")
    statements = [one for one in own.children if one.name in ACTING and not one.broken]
    yield from written(own, "        ", frozenset({*(word for word, _ in _SERVER), "lvs_method", *ACTING}))
    for number, statement in enumerate(statements):
        check = checks[number] if len(statements) == len(checks) else None
        yield from _check(check, statement, own, block)
    yield "    }"


def _check(check: Check | None, statement: Statement, own: Statement, block: Statement) -> Iterator[str]:
    indent, used = " " * 12, set()
    yield f"        {statement.name} {{  # {place(statement)}"
    if check is not None:
        for word, field in _TIMING:
            used.add(word)
            found = _last(word, statement, own, block)
            yield row(f"{word} {shown(field, getattr(check.timing, field))}", found, indent)
        target = getattr(check, "target", None)
        if target is not None:
            used |= {"connect_ip", "connect_port", "connect_timeout"}
            timeout = shown("connect_timeout_ns", target.connect_timeout_ns)
            yield row(f"connect_ip {target.address}", _last("connect_ip", statement) or own, indent)
            yield row(f"connect_port {target.port}", _last("connect_port", statement) or own, indent)
            yield row(f"connect_timeout {timeout}", _last("connect_timeout", statement, own, block), indent)
    yield from written(statement, indent, frozenset(used))
    yield "        }"


def _last(word: str, *levels: Statement | None) -> Statement | None:
    """Where it was said, the innermost block first."""
    return next((found for level in levels if level is not None and (found := level.last(word)) is not None), None)


def shown(field: str, value: object) -> str:
    """A value of the model as the language has it, by the unit at the end of its name."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int) and field.endswith("_ns"):
        return f"{value / 1_000_000_000:g}"
    if isinstance(value, int) and field.endswith("_cs"):
        return f"{value / 100:g}"
    return str(value)
