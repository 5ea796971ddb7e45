"""What an operator is shown: wanted and actual side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.codec import encode
from pyhad.common.config.model import SCHEMA, DataPlane, Forwarding, IpvsDocument, Listener, Protocol, VirtualServer
from pyhad.common.messages import DestinationStatus, Rates, ServiceStatus
from pyhad.common.messages_table import STILL
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.events import Configured, VerdictHeard
from pyhad.ipvs_proc.core.report import report
from pyhad.ipvs_proc.core.table import Connections, Reading

OTHER = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.2", port=80)


def balancer_of(*services: VirtualServer) -> Balancer:
    balancer = Balancer()
    document = IpvsDocument(schema=SCHEMA, generation=1, data_plane=DataPlane.AUTO, services=services)
    balancer.handle(Configured(document=document, actual={}), 0)
    return balancer


def row(number: int, up: bool, weight: int, wanted: int, **other: Any) -> DestinationStatus:
    counts = {
        "active_connections": -1,
        "inactive_connections": -1,
        "connections": -1,
        "rates": None,
        "sorry": False,
        **other,
    }
    return DestinationStatus(server=f"10.1.0.{number}:80", up=up, weight=weight, wanted_weight=wanted, **counts)


def test_a_service_shows_every_configured_server_wanted_and_actual(make: Any) -> None:
    alpha = make.server(3, alpha=True)
    balancer = balancer_of(make.virtual(make.server(1, 2), make.server(2, 2), alpha, sorry=make.sorry()))
    counted = {make.listener: {("10.1.0.1", 80): Connections(active=1, inactive=2, total=9)}}
    reading = Reading(table={make.listener: make.entry({1: 1})}, connections=counted)
    assert tuple(report(balancer, reading, {make.listener: "refused"})) == (
        ServiceStatus(
            service="web", scheduler="rr", forwarding="NAT", quorum_up=True, installed=True, problem="refused",
            destinations=(
                row(1, True, 1, 2, active_connections=1, inactive_connections=2, connections=9),
                row(2, True, -1, 2),
                row(3, False, -1, -1),
                row(99, False, -1, -1, sorry=True),
            ),
            connections=9, rates=None,
        ),
    )  # fmt: skip


def test_a_group_adds_the_connections_of_its_listeners_and_is_installed_when_all_are(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1), listeners=(make.listener, OTHER)))
    table = {make.listener: make.entry({1: 1})}
    counted = {
        make.listener: {("10.1.0.1", 80): Connections(total=4)},
        OTHER: {("10.1.0.1", 80): Connections(total=5)},
    }
    (half,) = report(balancer, Reading(table=table, connections=counted), {})
    assert not half.installed
    assert half.destinations == (row(1, True, 1, 1, connections=9),)
    table[OTHER] = replace(make.entry({1: 1}, listener=OTHER))
    (whole,) = report(balancer, Reading(table=table, connections=counted), {})
    assert whole.installed


def test_a_service_has_its_own_counters_where_the_data_plane_has_them_else_those_of_its_servers(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1), make.server(2), listeners=(make.listener, OTHER)))
    of_servers = {
        make.listener: {("10.1.0.1", 80): Connections(total=4, in_bytes=1), ("10.1.0.2", 80): Connections(total=1)}
    }
    (summed,) = report(balancer, Reading(table={}, connections=of_servers), {})
    assert (summed.connections, summed.in_bytes, summed.rates) == (5, -1, None)
    own = {
        make.listener: Connections(-1, -1, 70, 1, 2, 3, 4, Rates(5, 6, 7, 8, 9)),
        OTHER: Connections(-1, -1, 30, 1, 1, 1, 1, Rates(10, 0, 0, 0, 1)),
    }
    (both,) = report(balancer, Reading(table={}, connections=of_servers, services=own), {})
    assert (both.connections, both.in_packets, both.out_packets, both.in_bytes, both.out_bytes) == (100, 2, 3, 4, 5)
    assert both.rates == Rates(15, 6, 7, 8, 10)
    del own[OTHER]
    (one,) = report(balancer, Reading(table={}, connections=of_servers, services=own), {})
    assert one.connections == 70, "the other was not read yet: what it counts does not come from the servers meanwhile"


def test_rates_of_servers_are_added_over_a_group_and_where_nothing_moves_they_do_not_travel(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1), make.server(2), listeners=(make.listener, OTHER)))
    idle = Connections(0, 0, 0, 0, 0, 0, 0, STILL)
    counted = {
        make.listener: {
            ("10.1.0.1", 80): idle,
            ("10.1.0.2", 80): Connections(1, 0, 9, 9, 9, 9, 9, Rates(3, 4, 5, 6, 7)),
        },
        OTHER: {("10.1.0.1", 80): idle, ("10.1.0.2", 80): idle},
    }
    (service,) = report(balancer, Reading(table={}, connections=counted), {})
    still, moving = service.destinations
    assert still.rates is STILL
    assert b"rates" not in encode(still)
    assert moving.rates == Rates(3, 4, 5, 6, 7)
    counted[OTHER]["10.1.0.2", 80] = Connections()
    (service,) = report(balancer, Reading(table={}, connections=counted), {})
    assert service.destinations[1].rates is None


@pytest.mark.behaviour("LVS-21")
def test_a_group_of_several_ports_adds_connections_although_a_server_has_another_port_in_each(make: Any) -> None:
    tls = Listener(protocol=Protocol.TCP, family=4, address="10.0.0.1", port=443)
    server = replace(make.server(1), forwarding=Forwarding.DIRECT_ROUTE)
    sorry = replace(make.sorry(), forwarding=Forwarding.DIRECT_ROUTE)
    balancer = balancer_of(make.virtual(server, listeners=(make.listener, tls), sorry=sorry))
    counted = {
        make.listener: {("10.1.0.1", 80): Connections(total=4), ("10.1.0.99", 80): Connections(total=1)},
        tls: {("10.1.0.1", 443): Connections(total=5), ("10.1.0.99", 443): Connections(total=1)},
    }
    (whole,) = report(balancer, Reading(table={}, connections=counted), {})
    assert [one.connections for one in whole.destinations] == [9, 2]


def test_what_is_kept_in_and_what_starts_slowly_is_said(make: Any) -> None:
    balancer = balancer_of(make.virtual(make.server(1, 10, slow_start_s=20), make.server(2), make.server(3), panic=60))
    for number, up, since_s in ((1, False, 7), (1, True, 8), (2, False, 8), (3, False, 9)):
        verdict = make.verdict(number, up, 10, since_s=since_s)
        balancer.handle(VerdictHeard(verdict=verdict), since_s * 1_000_000_000)
    (service,) = report(balancer, Reading(table={}, connections={}), {})
    assert service.kept_in == 1
    assert service.destinations == (
        row(1, True, -1, 1, slow_start_until_ns=28_000_000_000),
        row(2, False, -1, -1),
        row(3, False, -1, 10, kept_in=True),
    )
