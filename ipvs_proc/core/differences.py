"""Where a table is not as it is wanted, in words for an operator: `pyhadctl diff`, and what was repaired. Pure."""

from __future__ import annotations

from typing import assert_never

from pyhad.common.config.model import Forwarding, Listener, TunnelChecksum
from pyhad.common.messages import TableDifference
from pyhad.ipvs_proc.core.reconcile import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    SetDestination,
    SetService,
    reconcile_entry,
)
from pyhad.ipvs_proc.core.table import DAMAGED, FLAGS, Destination, Entry, Service, endpoint_name, listener_name

MISSING, OTHER, FOREIGN = "missing", "other", "foreign"


def differences(listener: Listener, wanted: Entry | None, actual: Entry | None) -> list[TableDifference]:
    """What is missing, is another than it should be, or is there and should not; empty when all is as it should be.

    A whole service that is missing or foreign is one difference, with its servers.
    """
    changes = reconcile_entry(listener, wanted, actual)
    whole = next((change for change in changes if isinstance(change, AddService | DeleteService)), None)
    if whole is None:
        return [_difference(change, actual) for change in changes]
    kind = MISSING if isinstance(whole, AddService) else FOREIGN
    return [
        TableDifference(
            kind=kind,
            service=listener_name(listener),
            wanted=entry_words(wanted) if wanted is not None else "",
            actual=entry_words(actual) if actual is not None else "",
        )
    ]


def _difference(change: Change, actual: Entry | None) -> TableDifference:
    service, server, wanted, was = listener_name(change.listener), "", "", ""
    there = actual.destinations if actual is not None else {}
    match change:
        case AddService() | SetService():
            wanted = service_words(change.service)
            was = service_words(actual.service) if actual is not None else ""
        case AddDestination() | SetDestination():
            endpoint = change.destination.endpoint
            server, wanted = endpoint_name(endpoint), destination_words(change.destination)
            was = destination_words(there[endpoint]) if endpoint in there else ""
        case DeleteDestination():
            server, was = endpoint_name(change.endpoint), destination_words(there[change.endpoint])
        case DeleteService():
            was = service_words(actual.service) if actual is not None else ""
        case _:
            assert_never(change)
    kind = FOREIGN if not wanted else OTHER if was else MISSING
    return TableDifference(kind=kind, service=service, server=server, wanted=wanted, actual=was)


def entry_words(entry: Entry) -> str:
    """`rr, 2 servers`."""
    count = len(entry.destinations)
    return f"{service_words(entry.service)}, {count} server{'' if count == 1 else 's'}"


def service_words(service: Service) -> str:
    """`wrr`, `sh sh-port persistent 360/24`; of one with other rules than it was given: `damaged`."""
    words = [service.scheduler if service.scheduler != DAMAGED else "damaged"]
    of_it = [word for word in FLAGS if word == "ops" or word.startswith((f"{service.scheduler}-", "flag-"))]
    said = 0
    for word in sorted(of_it, key=lambda word: word.startswith("flag-")):  # a scheduler's own names first
        if service.flags & FLAGS[word] & ~said:
            words.append(word)
            said |= FLAGS[word]
    if service.persistence_timeout_s:
        words.append(f"persistent {service.persistence_timeout_s}/{service.persistence_prefix_len}")
    if service.persistence_engine:
        words.append(f"engine {service.persistence_engine}")
    return " ".join([*words, *(["masquerade"] if service.masquerade else [])])


def destination_words(destination: Destination) -> str:
    """`weight 2 NAT`, `weight 1 TUN gue 6080 limits 100 50`."""
    words = [f"weight {destination.weight}", destination.forwarding.value]
    if destination.forwarding is Forwarding.TUNNEL:
        tunnel = destination.tunnel
        words += [tunnel.type.value, *([str(tunnel.port)] if tunnel.port else [])]
        words += [tunnel.checksum.value] if tunnel.checksum is not TunnelChecksum.NONE else []
    if destination.upper_threshold or destination.lower_threshold:
        words.append(f"limits {destination.upper_threshold} {destination.lower_threshold}")
    return " ".join(words)
