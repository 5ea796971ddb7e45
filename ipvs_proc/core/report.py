"""What `pyhadctl status` shows of the load balancing: wanted and actual side by side. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pyhad.common.config.model import Forwarding, Listener
from pyhad.common.messages import DestinationStatus, ServiceStatus
from pyhad.ipvs_proc.core.desired import Balancer
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.table import Connections, Endpoint, Entry, Reading, endpoint_name
from pyhad.ipvs_proc.core.virtual_service import VirtualService

NOT_COUNTED = Connections()


def report(balancer: Balancer, reading: Reading, problems: Mapping[Listener, str]) -> tuple[ServiceStatus, ...]:
    """One status per virtual server, in configuration order. Of a group weights are those of its first listener."""
    return tuple(_service(service, balancer, reading, problems) for service in balancer.services.values())


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
    )


def _destinations(
    service: VirtualService, first: Listener, balancer: Balancer, reading: Reading
) -> tuple[DestinationStatus, ...]:
    sorry = service.sorry_endpoint(first)
    wanted = balancer.wanted(first)  # once: it is made anew each time
    everywhere = _endpoints(service)
    endpoints = everywhere[first]
    rows = [
        _with_order(
            replace(
                _destination(
                    server,
                    first,
                    endpoint,
                    _sum(((listener, each[server]) for listener, each in everywhere.items()), reading),
                    wanted,
                    reading,
                    up=service.servers[server].up,
                    sorry=endpoint == sorry,
                ),
                kept_in=server in service.kept,
                slow_start_until_ns=service.whole_weight_ns(server),
            ),
            service.ordered.get(server),
        )
        for server, endpoint in endpoints.items()
    ]
    if sorry is not None and sorry not in endpoints.values():
        serves = not service.quorum_up
        places = ((listener, service.sorry_endpoint(listener) or sorry) for listener in everywhere)
        counted = _sum(places, reading)
        name = endpoint_name(sorry)
        rows.append(_destination(name, first, sorry, counted, wanted, reading, up=serves, sorry=True))
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


def _with_order(row: DestinationStatus, order: Order | None) -> DestinationStatus:
    if order is None:
        return row
    return replace(
        row,
        operator_weight=order.weight,
        drained_out=order.is_out,
        drain_deadline_ns=order.deadline_ns,
        order_until_ns=order.until_ns,
    )


def _destination(
    name: str, first: Listener, endpoint: Endpoint, counted: Connections, entry: Entry | None, reading: Reading,
    *, up: bool, sorry: bool,
) -> DestinationStatus:  # fmt: skip
    wanted = entry.destinations.get(endpoint) if entry is not None else None
    there = reading.table[first].destinations.get(endpoint) if first in reading.table else None
    return DestinationStatus(
        server=name,
        up=up,
        weight=there.weight if there is not None else -1,
        wanted_weight=wanted.weight if wanted is not None else -1,
        active_connections=counted.active,
        inactive_connections=counted.inactive,
        connections=counted.total,
        in_packets=counted.in_packets,
        out_packets=counted.out_packets,
        in_bytes=counted.in_bytes,
        out_bytes=counted.out_bytes,
        sorry=sorry,
    )


def _sum(places: Iterable[tuple[Listener, Endpoint]], reading: Reading) -> Connections:
    """Over all listeners of a group; a count that a data plane does not have stays -1."""
    counts = [reading.connections[place] for place in places if place in reading.connections]
    if not counts:
        return NOT_COUNTED
    return counts[0] if len(counts) == 1 else Connections._make(_total(column) for column in zip(*counts, strict=True))


def _total(counts: tuple[int, ...]) -> int:
    return -1 if -1 in counts else sum(counts)
