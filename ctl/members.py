"""The virtual routers of a cluster: which parts of them stand in which node's file. Judges nothing.

Virtual routers belong together by VRID and family; a node is named by its file.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyhad.common.config.compile import CompileResult
from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """One node's part of a virtual router."""

    node: str
    instance: VrrpInstance
    block: Statement


def members_of(results: Sequence[CompileResult]) -> dict[tuple[int, int], list[Member]]:
    """The virtual routers of all nodes by (VRID, family)."""
    routers: dict[tuple[int, int], list[Member]] = {}
    for result in results:
        if result.configuration is None:
            continue
        blocks = {block.text(): block for block in result.root.every("vrrp_instance")}
        for instance in result.configuration.vrrp.instances:
            member = Member(result.files[0], instance, blocks[instance.name])
            routers.setdefault((instance.vrid, instance.family), []).append(member)
    return routers
