"""Peers and what is different about them, as a person sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyhad.common.messages_peers import PeerStatus
from pyhad.ctl.document import status_document
from pyhad.ctl.judge import problems
from pyhad.ctl.peers_table import peer_lines

S = 1_000_000_000


def peer(now_ns: int, **changes: Any) -> PeerStatus:
    good = PeerStatus(
        address="192.0.2.3", version=2, priority=90, advert_interval_cs=100, addresses=("192.0.2.100",),
        authentication="none", checksum="usual", since_ns=now_ns - 42 * S, refused="", differences=(),
    )  # fmt: skip
    return replace(good, **changes)


def test_peers_and_their_differences_are_lines(replies: Any) -> None:
    router = replies.good().vrrp.routers[1]
    wrong = peer(
        replies.now_ns, address="192.0.2.4", priority=0, refused="advert_interval_err", advert_interval_cs=200,
        authentication="PASS", differences=("192.0.2.4 sends advert_int 2, ours is 1\x1b[2J",),
    )  # fmt: skip
    lines = peer_lines([replace(router, peers=(peer(replies.now_ns), wrong))], replies.now_ns, 0, False)
    assert [line.split() for line in lines[2:4]] == [
        ["VI_MAIL", "192.0.2.3", "42", "s", "2", "90", "1", "s", "none", "usual", "yes"],
        [
            "VI_MAIL",
            "192.0.2.4",
            "42",
            "s",
            "2",
            "0",
            "(stopped)",
            "2",
            "s",
            "PASS",
            "usual",
            "no",
            "(advert_interval_err)",
        ],
    ]
    assert lines[4].startswith("  ! VI_MAIL: 192.0.2.4 sends advert_int 2, ours is 1")
    assert "\x1b" not in "".join(lines)


def test_nobody_heard_is_no_table(replies: Any) -> None:
    assert peer_lines(replies.good().vrrp.routers, replies.now_ns, 80, False) == []


def test_programs_get_them_too(replies: Any) -> None:
    reply = replies.good()
    vrrp = replace(reply.vrrp, routers=(replace(reply.vrrp.routers[0], peers=(peer(replies.now_ns),)),))
    [found] = status_document(replace(reply, vrrp=vrrp), replies.now_ns)["vrrp"]["routers"][0]["peers"]
    assert found == {
        "address": "192.0.2.3", "since_s": 42.0, "version": 2, "priority": 90, "advert_interval_s": 1.0,
        "addresses": ["192.0.2.100"], "authentication": "none", "checksum": "usual", "refused": "", "differences": [],
    }  # fmt: skip


def test_a_peer_whose_adverts_do_not_count_is_a_problem(replies: Any) -> None:
    reply = replies.good()
    for refused, kinds in (("", []), ("owner_ignored", []), ("advert_interval_err", ["peer_refused"])):
        heard = (peer(replies.now_ns, refused=refused),)
        vrrp = replace(reply.vrrp, routers=(replace(reply.vrrp.routers[0], peers=heard),))
        assert [found.kind for found in problems(replace(reply, vrrp=vrrp), replies.now_ns)] == kinds
