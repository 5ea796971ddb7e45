"""`pyhadctl diff`: the table as it was just read against the table that is wanted. Pure."""

from __future__ import annotations

from pyhad.common.messages import TableDifference, TableLook, TableRepair
from pyhad.ctl.words import duration, safe

REPAIRS_SHOWN = 5


def render_look(look: TableLook, now_ns: int) -> str:
    """Differences (- is there, + is wanted) and when they are repaired; what was refused, left alone, repaired."""
    lines = [line for one in look.differences for line in difference_lines(one)]
    if look.count > len(look.differences):
        lines.append(f"… and {look.count - len(look.differences)} more")
    lines += [f"! {service}  {why}" for service, why in look.refused.items()]
    if look.count:
        left_ns = max(0, look.next_repair_ns - now_ns)
        what = "1 difference" if look.count == 1 else f"{look.count} differences"
        lines.append(f"{what}; what can be repaired is repaired within {duration(left_ns)}.")
    elif not look.refused:
        lines.append("The table is as it should be.")
    lines += [f"Left alone, not of this configuration: {service}" for service in look.left_alone]
    if look.repairs:
        lines.append("Repaired lately:")
        lines += [line for one in reversed(look.repairs[-REPAIRS_SHOWN:]) for line in _repair_lines(one, now_ns)]
    return "\n".join(safe(line) for line in lines) + "\n"


def difference_lines(one: TableDifference) -> list[str]:
    """What is there, and what should be."""
    where = f"{one.service} -> {one.server}" if one.server else one.service
    lines = [f"- {where}  {one.actual}"] if one.actual else []
    return lines + ([f"+ {where}  {one.wanted}"] if one.wanted else [])


def _repair_lines(repair: TableRepair, now_ns: int) -> list[str]:
    what = "1 difference" if repair.count == 1 else f"{repair.count} differences"
    not_done = f", {repair.refused} services refused it" if repair.refused else ""
    lines = [f"  {duration(max(0, now_ns - repair.at_ns))} ago: {what}{not_done}"]
    lines += [f"    {line}" for one in repair.found for line in difference_lines(one)]
    if repair.count > len(repair.found):
        lines.append(f"    … and {repair.count - len(repair.found)} more")
    return lines


def look_document(look: TableLook, now_ns: int) -> dict[str, object]:
    """The same for programs."""
    return {
        "same": not (look.count or look.refused),
        "data_plane": look.data_plane,
        "count": look.count,
        "differences": [difference_document(one) for one in look.differences],
        "refused": look.refused,
        "left_alone": list(look.left_alone),
        "next_repair_s": round(max(0, look.next_repair_ns - now_ns) / 1e9, 3),
        "repairs": repairs_document(look.repairs, now_ns),
    }


def difference_document(one: TableDifference) -> dict[str, object]:
    """`wanted` and `actual` null where there is nothing; `server` null: the service itself."""
    return {
        "kind": one.kind,
        "service": one.service,
        "server": one.server or None,
        "wanted": one.wanted or None,
        "actual": one.actual or None,
    }


def repairs_document(repairs: tuple[TableRepair, ...], now_ns: int) -> list[dict[str, object]]:
    """The last ones, the latest last."""
    return [
        {
            "age_s": round(max(0, now_ns - repair.at_ns) / 1e9, 3),
            "count": repair.count,
            "services_refused": repair.refused,
            "found": [difference_document(one) for one in repair.found],
        }
        for repair in repairs
    ]
