"""Lines as keepalived 2.2.7 was seen to write them; the lab compares many more with its own."""

from __future__ import annotations

from typing import Any

import pytest

from pyhad.common.config.model.routes import NextHop, RouteMetric, VirtualRoute, VirtualRule
from pyhad.control_proc.core import path_wording


def route(**changes: Any) -> VirtualRoute:
    return VirtualRoute(**({"text": "", "family": 4, "destination": "10.8.0.0", "prefix_len": 16} | changes))


@pytest.mark.behaviour("SIG-21")
@pytest.mark.parametrize(
    ("one", "text"),
    [
        (
            route(preferred_source="10.0.9.100", gateway="10.0.9.9", interface="eth0", table=77, metric=5),
            "prepend 10.8.0.0/16 src 10.0.9.100 via inet 10.0.9.9 dev eth0 table 77 proto 18 metric 5",
        ),
        (route(type=6), "add blackhole 10.8.0.0/16 proto 18"),
        (
            route(interface="eth1", scope=253, metrics=(RouteMetric(number=2, value=1400),), tracked=False),
            "prepend 10.8.0.0/16 dev eth1 scope 253 mtu 1400 no_track",
        ),
        (
            route(next_hops=(NextHop(gateway="10.0.9.9", interface="eth0", weight=2), NextHop(gateway="10.0.9.8"))),
            "prepend 10.8.0.0/16 proto 18 nexthop via inet 10.0.9.9 dev eth0 weight 2 nexthop via inet 10.0.9.8",
        ),
        (
            route(family=6, destination="::", prefix_len=0, gateway="2001:db8::8", expires_s=500, preference=1),
            "prepend ::/0 via inet6 2001:db8::8 proto 18 expires 500sec pref high",
        ),
        (
            route(metrics=(RouteMetric(number=4, value=400), RouteMetric(number=16, text="cubic")), realms=5),
            "prepend 10.8.0.0/16 proto 18 realm 5 congctl cubic rtt 50ms",
        ),
    ],
)
def test_a_route(one: VirtualRoute, text: str) -> None:
    assert path_wording.route(one) == text


@pytest.mark.behaviour("SIG-21")
def test_rules() -> None:
    usual: dict[str, Any] = {"text": "", "family": 4, "priority": 101}
    assert path_wording.rule(VirtualRule(**usual, source="10.0.9.100", source_len=32, table=77)) == (
        "from 10.0.9.100 priority 101 tos 0x0 protocol 18 lookup 77"
    )
    assert path_wording.rule(VirtualRule(**usual, mark=5, mark_mask=255, action=8, tracked=False)) == (
        "from all priority 101 tos 0x0 fwmark 0x5/0xff type prohibit no_track"
    )
    whole = VirtualRule(
        **usual, inverted=True, destination="3.4.5.6", destination_len=32, tos=8, realms=0x30004, goto=103, uid_first=5,
        uid_last=6, source_port=5, source_port_last=9, ip_protocol=6, l3mdev=True,
    )  # fmt: skip
    assert path_wording.rule(whole) == (
        "not from all to 3.4.5.6 priority 101 tos 0x8 uidrange 5-6 l3mdev protocol 18 ipproto 6 sport 5-9 realms 3/4"
        " goto 103"
    )
