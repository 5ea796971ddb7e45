"""Which single failures leave nobody to hold the addresses of a virtual router, judged by the files of all nodes. Pure.

A failure here is one of a node, of a network other than the router's own, or of something that a script on every node
looks at. What is local to a node (a file, a process) fails there alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyhad.common.config.compile import CompileResult
from pyhad.common.config.model import Configuration, VrrpInstance
from pyhad.common.config.model.tracking import TrackerKind
from pyhad.common.config.source import Diagnostic
from pyhad.ctl.lint_node import warning
from pyhad.ctl.members import Member


def fatal_failures(members: Sequence[Member], results: Sequence[CompileResult]) -> tuple[str, ...]:
    """Each in words: `node a.conf`, `the network of eth1`, `what '/bin/check' checks`."""
    nodes = sorted({member.node for member in members})
    if len(nodes) == 1:
        return (f"node {nodes[0]}",)
    configurations = {result.files[0]: result.configuration for result in results if result.configuration is not None}
    networks = [_networks(member.instance, configurations[member.node]) for member in members]
    shared = set.intersection(*networks) - {member.instance.interface for member in members}
    scripts = set.intersection(*(_scripts(member.instance, configurations[member.node]) for member in members))
    return (
        *(f"the network of {name}" for name in sorted(shared)),
        *(f"what '{command}' checks" for command in sorted(scripts)),
    )


def lint_failures(members: Sequence[Member], results: Sequence[CompileResult]) -> Iterator[Diagnostic]:
    """A script without weight on every node: it is meant to find one node unfit, and finds all of them so."""
    for failure in fatal_failures(members, results):
        if failure.startswith("what "):
            member = members[0]
            yield warning(
                f"'{member.instance.name}' goes to FAULT on every node when {failure} fails: then nobody holds the "
                "addresses",
                member.block.at,
                "give the script a weight, or let it check what belongs to its own node",
            )


def _together(instance: VrrpInstance, configuration: Configuration) -> list[VrrpInstance]:
    """The members of its sync group, or itself alone: one in FAULT takes all with it."""
    if not instance.sync_group:
        return [instance]
    return [one for one in configuration.vrrp.instances if one.sync_group == instance.sync_group]


def _networks(instance: VrrpInstance, configuration: Configuration) -> set[str]:
    """Interfaces without which it goes to FAULT."""
    names: set[str] = set()
    for one in _together(instance, configuration):
        names.update(one.tracked_interfaces, (address.interface for address in one.addresses + one.excluded_addresses))
        if not one.dont_track_primary:
            names.add(one.interface)
        names.update(
            tracker.name
            for tracker in one.trackers
            if tracker.kind is TrackerKind.INTERFACE and not tracker.weight and not tracker.reverse
        )
    return names


def _scripts(instance: VrrpInstance, configuration: Configuration) -> set[str]:
    """Command lines without whose success it goes to FAULT."""
    commands = {script.name: " ".join(script.program.argv) for script in configuration.vrrp.scripts}
    return {
        commands[tracker.name]
        for one in _together(instance, configuration)
        for tracker in one.trackers
        if tracker.kind is TrackerKind.SCRIPT and not tracker.weight and tracker.name in commands
    }
