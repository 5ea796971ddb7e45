"""The load-balancing table in the kernel's IPVS, over generic netlink. Refuses to decide what belongs in it.

Messages and their bytes: `core/ipvs_wire.py`. CAP_NET_ADMIN is enough.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import assert_never

from pyhad.common.config.model import IpvsTimeouts, Listener, SyncDaemon
from pyhad.common.errors import KernelError, WireError
from pyhad.ipvs_proc.core import ipvs_wire as wire
from pyhad.ipvs_proc.core.ipvs_dump import DestinationReader
from pyhad.ipvs_proc.core.reconcile import (
    AddDestination,
    AddService,
    Change,
    DeleteDestination,
    DeleteService,
    SetDestination,
    SetService,
)
from pyhad.ipvs_proc.core.remedies import explained, explained_sync
from pyhad.ipvs_proc.core.table import (
    Connections,
    Destination,
    Endpoint,
    Entry,
    Glance,
    Reading,
    Servers,
    Table,
    endpoint_name,
    listener_name,
)
from pyhad.ipvs_proc.generic_socket import GenericSocket, Order
from pyhad.ipvs_proc.plane import Refusal

FAMILY = "IPVS"


class IpvsPlane:
    """The kernel's IPVS. Raises `KernelError` when the kernel has none (and does not load it).

    `breathe` is called with each batch and dump, so that a table of thousands is not taken for a process that hangs.
    """

    name = "ipvs"
    owns_everything = False
    reads_at_once = False

    def __init__(self, breathe: Callable[[], None] = lambda: None) -> None:
        self._reader = DestinationReader()
        try:
            self._socket = GenericSocket(FAMILY, breathe)
        except KernelError as error:
            raise KernelError("find IPVS in the kernel", error.errno, "is ip_vs loaded?") from None

    def connections(self, listener: Listener) -> dict[Endpoint, Connections]:
        """What is counted for the destinations of one service now; nothing when it is not there."""
        found = self._servers(listener)
        return found[1] if found is not None else {}

    def read(self) -> Reading:
        """Every service with its destinations."""
        table: Table = {}
        connections: dict[Listener, dict[Endpoint, Connections]] = {}
        services, servers_of, counted = self.glance()
        for service in services:
            if (found := servers_of(service.listener)) is not None:
                destinations, connections[service.listener] = found
                table[service.listener] = Entry(service=service, destinations=destinations)
        return Reading(table=table, connections=connections, services=counted)

    def glance(self) -> Glance:
        """As `Plane.glance`. A service of a protocol that is not known here is passed over."""
        found = Glance([], self._servers, {})
        try:
            for answer in self._socket.dump(wire.GET_SERVICE):
                if (service := wire.service_from(answer)) is not None:
                    found.services.append(service)
                    found.counted[service.listener] = wire.service_counts_from(answer)
        except WireError as error:
            raise KernelError("read the table", errno.EBADMSG, str(error)) from None
        return found

    def _servers(self, listener: Listener) -> Servers | None:
        read = self._reader.read
        destinations: dict[Endpoint, Destination] = {}
        connections: dict[Endpoint, Connections] = {}
        try:
            for each in self._destinations(listener):
                destination, counted = read(each, listener.family)
                endpoint = destination.address, destination.port
                destinations[endpoint] = destination
                connections[endpoint] = counted
        except WireError as error:
            raise KernelError("read the table", errno.EBADMSG, str(error)) from None
        except KernelError as error:
            if error.errno in (errno.ENOENT, errno.ESRCH):
                return None
            raise
        return destinations, connections

    def _destinations(self, listener: Listener) -> list[bytes]:
        try:
            return self._socket.dump(wire.GET_DEST, wire.service_key(listener))
        except KernelError as error:
            operation = f"list destinations of {listener_name(listener)}"
            raise KernelError(operation, error.errno, error.detail) from None

    def problem_with(self, entry: Entry) -> str:
        """IPVS can do all that keepalived's language can say; what this kernel lacks shows in `apply`."""
        return "pyhad_masquerade needs the nftables data plane" if entry.service.masquerade else ""

    def apply(self, changes: list[Change]) -> list[Refusal]:
        """Write all changes in batches; the error of one names its service and server and stops no other."""
        errors = self._socket.order([_order(change) for change in changes])
        return [
            Refusal(change=change, error=KernelError(_operation(change), error, explained(change, error)))
            for change, error in zip(changes, errors, strict=True)
            if error
        ]

    # ------------------------------------------------------------------------- beside the services

    def set_timeouts(self, wanted: IpvsTimeouts) -> bool:
        """Bring the connection timeouts in line; whether anything was written. 0 is left alone."""
        try:
            there = wire.timeouts_from(self._socket.ask(wire.GET_CONFIG))
        except WireError as error:
            raise KernelError("read the timeouts", errno.EBADMSG, str(error)) from None
        merged = IpvsTimeouts(
            tcp_s=wanted.tcp_s or there.tcp_s,
            tcp_fin_s=wanted.tcp_fin_s or there.tcp_fin_s,
            udp_s=wanted.udp_s or there.udp_s,
        )
        if merged == there:
            return False
        self._tell("set the timeouts", (wire.SET_CONFIG, wire.timeouts(merged)))
        return True

    def set_sync(self, wanted: SyncDaemon | None, is_master: bool | None = None) -> int:
        """Run the sync daemons as wanted, or none; how many were stopped and started (LVS-12).

        One that follows an instance has one role at a time; `is_master` None, not known yet, keeps the one it has.
        """
        there = self._sync_daemons()
        states = _states(wanted, is_master, {state for state, one in there.items() if wanted and _runs_as(one, wanted)})
        made = 0
        for state, running in there.items():
            if wanted is None or state not in states or not _runs_as(running, wanted):
                self._stop_sync(state, running)
                made += 1
        for state in states:
            running_now = there.get(state)
            if wanted is not None and not (running_now is not None and _runs_as(running_now, wanted)):
                name = f"start the sync daemon on {wanted.interface}"
                self._tell(name, (wire.NEW_DAEMON, wire.sync_daemon(state, wanted)), explained_sync)
                made += 1
        return made

    def flush(self) -> None:
        """Empty the whole table, whoever made it (`lvs_flush_on_stop`)."""
        self._tell("empty the table", (wire.FLUSH, b""))

    def _sync_daemons(self) -> dict[int, SyncDaemon]:
        try:
            return dict(wire.sync_daemon_from(each) for each in self._socket.dump(wire.GET_DAEMON))
        except WireError as error:
            raise KernelError("read the sync daemons", errno.EBADMSG, str(error)) from None

    def _stop_sync(self, state: int, running: SyncDaemon) -> None:
        """The kernel answers nothing when the thread had not begun yet (EINTR is not acknowledged); it ends all the
        same."""
        try:
            self._tell("stop a sync daemon", (wire.DEL_DAEMON, wire.sync_daemon(state, running)))
        except KernelError as error:
            if error.errno != errno.EIO or state in self._sync_daemons():
                raise

    def _tell(self, operation: str, order: Order, why: Callable[[int], str] = lambda code: "") -> None:
        error = self._socket.order([order])[0]
        if error:
            raise KernelError(operation, error, why(error))

    def retire(self) -> None:
        """Nothing but services was made here."""

    def close(self) -> None:
        """Release the socket; the table stays."""
        self._socket.close()


def _states(wanted: SyncDaemon | None, is_master: bool | None, running: set[int]) -> tuple[int, ...]:
    """The roles that are to run."""
    if wanted is None:
        return ()
    if not wanted.instance:
        return wire.MASTER, wire.BACKUP
    if is_master is None:
        is_master = running == {wire.MASTER}
    return (wire.MASTER,) if is_master else (wire.BACKUP,)


def _runs_as(running: SyncDaemon, wanted: SyncDaemon) -> bool:
    """What `wanted` leaves to the kernel may be anything."""
    return (
        (running.interface, running.sync_id) == (wanted.interface, wanted.sync_id)
        and wanted.max_len in (0, running.max_len)
        and wanted.port in (0, running.port)
        and wanted.ttl in (0, running.ttl)
        and wanted.group in ("", running.group)
    )


def _order(change: Change) -> Order:
    match change:
        case AddService():
            return wire.NEW_SERVICE, wire.service(change.service)
        case SetService():
            return wire.SET_SERVICE, wire.service(change.service)
        case DeleteService():
            return wire.DEL_SERVICE, wire.service_key(change.listener)
        case AddDestination():
            return wire.NEW_DEST, wire.service_key(change.listener) + wire.destination(change.destination)
        case SetDestination():
            return wire.SET_DEST, wire.service_key(change.listener) + wire.destination(change.destination)
        case DeleteDestination():
            return wire.DEL_DEST, wire.service_key(change.listener) + wire.destination_key(change.endpoint)
        case _:
            assert_never(change)


def _operation(change: Change) -> str:
    """A refused change in words."""
    name = listener_name(change.listener)
    match change:
        case AddService():
            return f"add service {name}"
        case SetService():
            return f"set service {name}"
        case DeleteService():
            return f"delete service {name}"
        case AddDestination():
            return f"add {endpoint_name(change.destination.endpoint)} to {name}"
        case SetDestination():
            return f"set {endpoint_name(change.destination.endpoint)} of {name}"
        case DeleteDestination():
            return f"delete {endpoint_name(change.endpoint)} from {name}"
        case _:
            assert_never(change)
