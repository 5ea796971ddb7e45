"""What does not fit between the configurations of the nodes of one cluster. Pure.

Virtual routers belong together by VRID and family; a node is named by its file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pyhad.common.config.compile import CompileResult
from pyhad.common.config.source import Diagnostic, Location
from pyhad.common.config.tree import Statement
from pyhad.ctl.lint_failures import fatal_failures, lint_failures
from pyhad.ctl.lint_node import warning
from pyhad.ctl.members import Member, members_of


def lint_cluster(results: Sequence[CompileResult]) -> tuple[Diagnostic, ...]:
    """Findings about two or more good configurations."""
    routers = members_of(results)
    found = [
        finding
        for members in routers.values()
        for finding in (
            *_alone(members, len(results)),
            *_disagreements(members),
            *_ties(members),
            *_masters(members),
            *_nopreempt(members),
            *lint_failures(members, results),
        )
    ]
    return (*found, *_ways_to_talk(results), *_names(routers), *_services(results))


def forecast(results: Sequence[CompileResult]) -> str:
    """Who would be master of each virtual router, and who next, with everything well; what alone leaves nobody."""
    rows = []
    for (vrid, family), members in sorted(members_of(results).items()):
        order = sorted(members, key=lambda member: -member.instance.base_priority)
        who = ", then ".join(f"{member.node} ({member.instance.base_priority})" for member in order)
        rows.append(f"VRID {vrid} IPv{family} '{order[0].instance.name}': {who}")
        if failures := fatal_failures(members, results):
            rows.append(f"    nobody, if this alone fails: {', '.join(failures)}")
    return "".join(f"{row}\n" for row in rows)


# ---------------------------------------------------------------------------------------------- one router


def _alone(members: list[Member], nodes: int) -> Iterator[Diagnostic]:
    if nodes > 1 and len({member.node for member in members}) == 1:
        member = members[0]
        yield warning(
            f"only {member.node} has virtual_router_id {member.instance.vrid} ('{member.instance.name}'): when it "
            "fails nobody holds the addresses",
            _place(member, "virtual_router_id"),
            "add the instance to another node",
        )


_MUST_AGREE: tuple[tuple[str, str, Callable[[Member], Any], str], ...] = (
    ("version", "version", lambda member: member.instance.version, "they do not understand each other"),
    (
        "advert_int", "advert_int", lambda member: member.instance.advertisement_interval_cs / 100,
        "version 2 drops the other's adverts, so both become master; version 3 takes over late",
    ),
    ("multicast group", "mcast_dst_ip", lambda member: member.instance.multicast_group, "they do not hear each other"),
    (
        "virtual addresses", "virtual_ipaddress",
        lambda member: " ".join(sorted(one.address for one in member.instance.addresses)),
        "after a takeover some addresses are served by nobody",
    ),
)  # fmt: skip


def _disagreements(members: list[Member]) -> Iterator[Diagnostic]:
    first = members[0]
    for other in members[1:]:
        if other.node == first.node:
            continue
        for what, keyword, value, consequence in _MUST_AGREE:
            ours, theirs = value(first), value(other)
            if ours == theirs:
                continue
            shown = f"{_shown(theirs)} here, {_shown(ours)} there"
            yield warning(
                f"{what} of '{other.instance.name}' differs from {_where(first, keyword)}: {shown}; {consequence}",
                _place(other, keyword),
                "make both nodes the same",
            )


def _ways_to_talk(results: Sequence[CompileResult]) -> Iterator[Diagnostic]:
    """Authentication and unicast, from the files' own words: also of instances that are left out. Shows no secret."""
    seen: dict[int, Statement] = {}
    for result in results:
        for block in result.root.every("vrrp_instance"):
            vrid = block.number_of("virtual_router_id", 0)
            other = seen.setdefault(vrid, block)
            if not vrid or other.at.file == block.at.file:
                continue
            name = block.text()
            for word in ("authentication", "auth_hmac"):
                if _words_of(block, word) != _words_of(other, word):
                    text = f"{word} of '{name}' differs from {_at(other, word)}: they drop each other's adverts"
                    yield warning(f"{text}, so both become master", _found(block, word), "make both nodes the same")
            if block.given("unicast_peer") != other.given("unicast_peer"):
                text = f"'{name}' is unicast on one node and multicast at {_at(other, 'unicast_peer')}"
                yield warning(text, _found(block, "unicast_peer"), "make both nodes the same")


def _words_of(block: Statement, name: str) -> tuple[str, ...]:
    found = block.last(name)
    return () if found is None else tuple(sorted(" ".join(w.text for w in one.line.words) for one in found.children))


def _found(block: Statement, name: str) -> Location:
    return next((child.at for child in block.children if child.name == name), block.at)


def _at(block: Statement, name: str) -> str:
    at = _found(block, name)
    return f"{at.file}:{at.line}"


def _ties(members: list[Member]) -> Iterator[Diagnostic]:
    seen: dict[int, Member] = {}
    for member in members:
        other = seen.setdefault(member.instance.base_priority, member)
        if other.node != member.node:
            yield warning(
                f"priority {member.instance.base_priority} is also that of {_where(other, 'priority')}: the greater "
                "address wins, and both may be master for a moment",
                _place(member, "priority"),
                "give each node its own priority",
            )


def _masters(members: list[Member]) -> Iterator[Diagnostic]:
    wanted = [member for member in members if member.block.text_of("state") == "MASTER"]
    for member in wanted[1:]:
        if member.node != wanted[0].node:
            yield warning(
                f"state MASTER stands here and at {_where(wanted[0], 'state')}",
                _place(member, "state"),
                "say state BACKUP on all nodes",
            )


def _nopreempt(members: list[Member]) -> Iterator[Diagnostic]:
    if len(members) < 2 or len({member.instance.preempt_mode for member in members}) == 1:
        return
    best = max(members, key=lambda member: member.instance.base_priority)
    if best.instance.preempt_mode:
        yield warning(
            f"'{best.instance.name}' has the highest priority and preempts: nopreempt on the other node has no effect",
            _place(best, "priority"),
            "say nopreempt on the node with the highest priority",
        )


# ------------------------------------------------------------------------------------------ across routers


def _names(routers: dict[tuple[int, int], list[Member]]) -> Iterator[Diagnostic]:
    seen: dict[str, Member] = {}
    for members in routers.values():
        for member in members:
            other = seen.setdefault(member.instance.name, member)
            same = {one.address for one in member.instance.addresses} & {
                one.address for one in other.instance.addresses
            }
            if other.node != member.node and other.instance.vrid != member.instance.vrid and same:
                yield warning(
                    f"'{member.instance.name}' has virtual_router_id {member.instance.vrid} here and "
                    f"{other.instance.vrid} at {_where(other, 'virtual_router_id')}: both become master of "
                    f"{' '.join(sorted(same))}",
                    _place(member, "virtual_router_id"),
                    "use one virtual_router_id on all nodes",
                )


def _services(results: Sequence[CompileResult]) -> Iterator[Diagnostic]:
    good = [result for result in results if result.configuration is not None]
    if len(good) < 2:
        return
    first = good[0]
    assert first.configuration is not None
    known = {one.id: one for one in first.configuration.ipvs.services}
    for result in good[1:]:
        assert result.configuration is not None
        blocks = {f"{one.at.file}:{one.at.line}": one.at for one in result.root.every("virtual_server")}
        for service in result.configuration.ipvs.services:
            other = known.get(service.id)
            at = blocks.get(service.source, Location(result.files[0], 0))
            if other is None:
                text = f"service {service.id} is not in {first.files[0]}: it is gone while that node is master"
                yield warning(text, at, "make both nodes serve the same")
            elif {one.id for one in other.servers} != {one.id for one in service.servers}:
                text = f"service {service.id} has other real servers than at {other.source}"
                yield warning(text, at, "make both nodes serve the same")


def _where(member: Member, keyword: str) -> str:
    return _at(member.block, keyword)


def _place(member: Member, keyword: str) -> Location:
    return _found(member.block, keyword)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value) or "none"
