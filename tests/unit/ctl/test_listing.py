"""The table as ipvsadm shows it, with health and drain beside it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pyhad.common.messages import Rates, StatusReply
from pyhad.ctl.listing import render_table

TABLE = """\
Virtual servers (ipvs)
Prot LocalAddress:Port                Conns   InPkts  OutPkts  InBytes OutBytes  Sched
  -> RemoteAddress:Port                                                          Weight ActiveConn InActConn Health
TCP  192.0.2.100:80                   24070      500        -        0        0  wrr, 2 of 3 up
  -> 10.1.0.11:80                     12034      400  123456K 99999999 70000000M  1      17         4         up
  -> 10.1.0.13:80                     12034        2        -        -        -  0      0          4         up, drained
"""
RATES = """\
Virtual servers (ipvs)
Prot LocalAddress:Port                  CPS    InPPS   OutPPS    InBPS   OutBPS  Sched
  -> RemoteAddress:Port                                                          Weight ActiveConn InActConn Health
TCP  192.0.2.100:80                      25     1200     1100 12345678  123456K  wrr, 3 of 4 up
  -> 10.1.0.11:80                        25        0        0        0        0  1      17         4         up
  -> 10.1.0.13:80                         0        0        0        0        0  1      17         4         up
  -> 10.1.0.14:80                         -        -        -        -        -  1      17         4         up
"""


def with_servers(reply: StatusReply, *destinations: Any, **changes: Any) -> StatusReply:
    """The reply of a service at 192.0.2.100:80/tcp with these."""
    assert reply.ipvs is not None
    service = dataclasses.replace(reply.ipvs.services[0], destinations=destinations, **changes)
    return dataclasses.replace(reply, ipvs=dataclasses.replace(reply.ipvs, services=(service,)))


def test_the_table_has_counters_and_beside_them_weight_health_and_drain(replies: Any) -> None:
    reply = with_servers(
        replies.good(),
        replies.destination(
            "10.1.0.11:80", in_packets=400, out_packets=123456789, in_bytes=99_999_999, out_bytes=7 * 10**13
        ),
        replies.destination(
            "10.1.0.13:80", weight=0, wanted_weight=0, operator_weight=0, active_connections=0, in_packets=2
        ),
        connections=24070,
        in_packets=500,
        in_bytes=0,
        out_bytes=0,
    )
    assert render_table(reply).splitlines() == TABLE.splitlines()


def test_the_table_of_rates_is_laid_out_alike_and_says_where_there_are_none(replies: Any) -> None:
    rates = Rates(connections=25, in_packets=1200, out_packets=1100, in_bytes=12345678, out_bytes=123456789)
    reply = with_servers(
        replies.good(),
        replies.destination("10.1.0.11:80", rates=Rates(connections=25)),
        replies.destination("10.1.0.13:80"),
        replies.destination("10.1.0.14:80", rates=None),
        rates=rates,
    )
    assert render_table(reply, rates=True).splitlines() == RATES.splitlines()


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("[fd00::1]:53/udp", "UDP  [fd00::1]:53"),
        ("fwmark:9/inet", "FWM  9/inet"),
        ("group:WEB/tcp", "GRP  WEB/tcp"),
    ],
)
def test_services_are_named_as_ipvsadm_does(replies: Any, name: str, title: str) -> None:
    reply = dataclasses.replace(with_servers(replies.good(), service=name), checker=None)
    assert render_table(reply).splitlines()[3].startswith(title)


def test_a_drain_says_how_far_it_is(replies: Any) -> None:
    def health(**order: Any) -> str:
        row = replies.destination("10.1.0.13:80", wanted_weight=0, operator_weight=0, **order)
        return render_table(with_servers(replies.good(), row)).splitlines()[-1].split("  ")[-1].strip()

    assert health(weight=0, active_connections=4) == "up, draining"
    assert health(weight=0, active_connections=0) == "up, drained"
    assert health(weight=-1, drained_out=True) == "up, taken out"


def test_a_server_given_by_name_is_shown_with_its_address(replies: Any) -> None:
    reply = with_servers(replies.good(), replies.destination("web.example:80", weight=-1, wanted_weight=1))
    assert reply.checker is not None
    health = reply.checker.servers[0]
    verdict = dataclasses.replace(
        health.verdict, service="192.0.2.100:80/tcp", server="web.example:80", address="10.1.0.7"
    )
    health = dataclasses.replace(health, verdict=verdict)
    reply = dataclasses.replace(reply, checker=dataclasses.replace(reply.checker, servers=(health,)))
    assert "  -> web.example:80 (10.1.0.7) " in render_table(reply)
