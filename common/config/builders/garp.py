"""`garp_group` and the global intervals to the limits of announcements. Looks at no interface."""

from __future__ import annotations

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model.garp import AnnounceLimit
from pyhad.common.config.tree import Statement


def build_limits(root: Statement, complaints: Complaints) -> tuple[AnnounceLimit, ...]:
    """NET-25: interfaces of `interfaces` share one limit, one of `interface` has its own; each is in one group only."""
    settings = Statement(root.keyword, root.line)
    for block in root.every("global_defs"):
        settings.add(block.children)
    plain = AnnounceLimit(
        garp_interval_ns=settings.number_of("vrrp_garp_interval", 0),
        gna_interval_ns=settings.number_of("vrrp_gna_interval", 0),
    )
    limits = [plain] if plain != AnnounceLimit() else []
    taken: set[str] = set()
    for block in root.every("garp_group"):
        intervals = {
            "garp_interval_ns": block.number_of("garp_interval", plain.garp_interval_ns),
            "gna_interval_ns": block.number_of("gna_interval", plain.gna_interval_ns),
        }
        before = len(limits)
        for found in block.every("interface"):
            limits += [AnnounceLimit(interfaces=(name,), **intervals) for name in _free(found, taken, complaints)]
        shared = [
            name for found in block.children if found.name == "interfaces" for name in _shared(found, taken, complaints)
        ]
        if shared:
            limits.append(AnnounceLimit(interfaces=tuple(shared), **intervals))
        if len(limits) == before:
            complaints.warning("garp_group limits nothing: it names no interface of its own", block.at)
    return tuple(limits)


def _shared(block: Statement, taken: set[str], complaints: Complaints) -> list[str]:
    return [name for line in block.children for name in _free(line, taken, complaints)]


def _free(line: Statement, taken: set[str], complaints: Complaints) -> list[str]:
    free: list[str] = []
    for value in line.values:
        name = str(value)
        if name in taken:
            complaints.warning(f"garp_group: {name} is ignored: it is in a garp_group already", line.at)
        else:
            taken.add(name)
            free.append(name)
    return free
