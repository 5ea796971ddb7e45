"""The peers of the virtual routers as a table for a person, with what is different about them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.messages import RouterStatus
from pyhad.common.messages_peers import PeerStatus
from pyhad.ctl.words import GREY, RED, YELLOW, Cell, Column, duration, fold, paint, safe, table

_COLUMNS = (
    Column("ROUTER"),
    Column("PEER"),
    Column("SO FOR", right=True),
    Column("VERSION", right=True, drop=1),
    Column("PRIORITY", right=True),
    Column("EVERY", right=True),
    Column("AUTHENTICATION", drop=2),
    Column("CHECKSUM", drop=3),
    Column("COUNTS"),
)


def peer_lines(routers: Iterable[RouterStatus], now_ns: int, width: int, colour: bool) -> list[str]:
    """The table and a line for each difference; nothing where nobody was heard."""
    heard = [(router, peer) for router in routers for peer in router.peers]
    if not heard:
        return []
    lines = ["", *table(_COLUMNS, [_row(router, peer, now_ns) for router, peer in heard], width, colour)]
    for router, peer in heard:
        for remark in peer.differences:
            pieces = fold(safe(f"{router.name}: {remark}"), width - 4 if width else 0)
            lines += [paint(f"  {'!' if at == 0 else ' '} {piece}", YELLOW, colour) for at, piece in enumerate(pieces)]
    return lines


def _row(router: RouterStatus, peer: PeerStatus, now_ns: int) -> list[Cell]:
    return [
        Cell(router.name),
        Cell(peer.address),
        Cell(duration(now_ns - peer.since_ns)),
        Cell(str(peer.version)),
        Cell("0 (stopped)" if peer.priority == 0 else str(peer.priority)),
        Cell(f"{peer.advert_interval_cs / 100:g} s"),
        Cell(peer.authentication, GREY if peer.authentication == "none" else ""),
        Cell(peer.checksum, GREY if peer.checksum == "usual" else YELLOW),
        Cell(f"no ({peer.refused})", RED) if peer.refused else Cell("yes"),
    ]
