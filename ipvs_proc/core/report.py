"""What `pyhadctl status` shows of the load balancing: wanted and actual side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyhad.common.config.model import Forwarding, Listener
from pyhad.common.messages import DestinationStatus, ServiceStatus
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.table import Connections, Endpoint, Entry, Reading, added, endpoint_name
from pyhad.ipvs_proc.core.virtual_service import VirtualService

_NO_ORDER = Order(weight=-1)


def report(balancer: Balancer, reading: Reading, problems: Mapping[Listener, str]) -> Iterator[ServiceStatus]:
    """One status per virtual server, in configuration order. Of a group weights are those of its first listener.

    Each as things are when it is taken: between them the table may change.
    """
    for service in list(balancer.services.values()):
        yield _service(service, balancer, reading, problems)


def _service(
    service: VirtualService, balancer: Balancer, reading: Reading, problems: Mapping[Listener, str]
) -> ServiceStatus:
    config = service.config
    forwardings = {server.forwarding for server in config.servers}
    found = [problems[listener] for listener in config.listeners if problems.get(listener)]
    first = config.listeners[0] if config.listeners else None
    return ServiceStatus(
        service=config.id,
        scheduler=config.scheduler,
        forwarding=(forwardings.pop() if len(forwardings) == 1 else "mixed") if forwardings else Forwarding.NAT.value,
        quorum_up=service.quorum_up,
        kept_in=len(service.kept),
        installed=bool(config.listeners) and all(listener in reading.table for listener in config.listeners),
        problem=found[0] if found else "",
        destinations=_destinations(service, first, balancer, reading) if first is not None else (),
        **_service_counts(config.listeners, reading),
    )


def _destinations(
    service: VirtualService, first: Listener, balancer: Balancer, reading: Reading
) -> tuple[DestinationStatus, ...]:
    sorry = service.sorry_endpoint(first)
    wanted = balancer.wanted(first)  # once: it is made anew each time
    there = reading.table.get(first)
    everywhere = _endpoints(service)
    endpoints = everywhere[first]
    rows: list[DestinationStatus] = []
    for server, endpoint in endpoints.items():
        order = service.ordered.get(server, _NO_ORDER)
        rows.append(
            DestinationStatus(
                server=server,
                up=service.servers[server].up,
                weight=_weight_in(there, endpoint),
                wanted_weight=_weight_in(wanted, endpoint),
                sorry=endpoint == sorry,
                **_counts(((listener, each[server]) for listener, each in everywhere.items()), reading),
                operator_weight=order.weight,
                drained_out=order.is_out,
                drain_deadline_ns=order.deadline_ns,
                order_until_ns=order.until_ns,
                kept_in=server in service.kept,
                slow_start_until_ns=service.whole_weight_ns(server),
            )
        )
    if sorry is not None and sorry not in endpoints.values():
        places = ((listener, service.sorry_endpoint(listener) or sorry) for listener in everywhere)
        rows.append(
            DestinationStatus(
                server=endpoint_name(sorry),
                up=not service.quorum_up,
                weight=_weight_in(there, sorry),
                wanted_weight=_weight_in(wanted, sorry),
                sorry=True,
                **_counts(places, reading),
            )
        )
    return tuple(rows)


def _endpoints(service: VirtualService) -> dict[Listener, dict[str, Endpoint]]:
    """Where each server is in each listener (LVS-21): listeners of one port share it, for a group has thousands."""
    of_port: dict[tuple[int, bool], dict[str, Endpoint]] = {}
    found: dict[Listener, dict[str, Endpoint]] = {}
    for listener in service.config.listeners:
        port = listener.port, bool(listener.fwmark)
        if port not in of_port:
            of_port[port] = service.endpoints(listener)
        found[listener] = of_port[port]
    return found


def _weight_in(entry: Entry | None, endpoint: Endpoint) -> int:
    """-1: it is not there."""
    destination = entry.destinations.get(endpoint) if entry is not None else None
    return -1 if destination is None else destination.weight


def _counts(places: Iterable[tuple[Listener, Endpoint]], reading: Reading) -> dict[str, Any]:
    """Over all listeners of a group, by the fields of a row; a count that a data plane does not have stays -1."""
    every = reading.connections
    counts = [every[listener][place] for listener, place in places if place in every.get(listener, ())]
    counted = added(counts) if counts else _NOT_COUNTED
    return {"active_connections": counted.active, "inactive_connections": counted.inactive, **_traffic(counted)}


def _traffic(counted: Connections) -> dict[str, Any]:
    """The fields that rows of servers and services have alike."""
    return {
        "connections": counted.total,
        "in_packets": counted.in_packets,
        "out_packets": counted.out_packets,
        "in_bytes": counted.in_bytes,
        "out_bytes": counted.out_bytes,
        "rates": counted.rates,
    }


def _service_counts(listeners: Iterable[Listener], reading: Reading) -> dict[str, Any]:
    """Over all listeners that were read; of their servers where the data plane counts nothing else."""
    if reading.services:
        return _traffic(added([reading.services[listener] for listener in listeners if listener in reading.services]))
    return _traffic(added([each for listener in listeners for each in reading.connections.get(listener, {}).values()]))


_NOT_COUNTED = Connections()
