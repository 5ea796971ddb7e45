"""Verdicts and table side by side."""

from __future__ import annotations

import dataclasses
from typing import Any

from pyhad.ctl.pools import pools_of


def test_servers_come_in_the_order_of_the_table_with_their_verdicts(replies: Any) -> None:
    [pool] = pools_of(replies.good())
    assert [server.name for server in pool.servers] == ["10.1.0.11:80", "10.1.0.12:80", "10.1.0.13:80", "10.1.0.99:80"]
    assert [server.up for server in pool.servers] == [True, False, True, True]
    assert [server.sorry for server in pool.servers] == [False, False, False, True]
    assert (pool.up_count, pool.real_count) == (2, 3)


def test_the_verdict_counts_more_than_the_table(replies: Any) -> None:
    reply = replies.good()
    entry = replies.health("10.1.0.11:80", False, "timeout")
    reply = dataclasses.replace(reply, checker=dataclasses.replace(reply.checker, servers=(entry,)))
    [pool] = pools_of(reply)
    assert pool.servers[0].destination is not None
    assert pool.servers[0].destination.up
    assert not pool.servers[0].up


def test_what_only_the_checker_knows_is_shown_too(replies: Any) -> None:
    [pool] = pools_of(dataclasses.replace(replies.good(), ipvs=None))
    assert pool.service is None
    assert [server.destination for server in pool.servers] == [None, None, None]
    assert (pool.up_count, pool.real_count) == (2, 3)


def test_what_only_the_table_knows_is_shown_too(replies: Any) -> None:
    [pool] = pools_of(dataclasses.replace(replies.good(), checker=None))
    assert [server.up for server in pool.servers] == [True, False, True, True]
    assert pool.servers[0].checks == ()


def test_without_any_report_there_is_no_pool(replies: Any) -> None:
    assert pools_of(replies.nothing_needed()) == ()
