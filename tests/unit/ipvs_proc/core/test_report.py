"""What an operator is shown: wanted and actual side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyhad.common.config.model import SCHEMA, DataPlane, Forwarding, IpvsDocument, Listener, Protocol, VirtualServer
from pyhad.common.messages import DestinationStatus, ServiceStatus
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
    counts = {"active_connections": -1, "inactive_connections": -1, "connections": -1, "sorry": False, **other}
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
