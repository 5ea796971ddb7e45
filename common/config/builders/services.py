"""`virtual_server` blocks to the model: defaults, fix-ups FIX-50 to FIX-62, quorum. Asks neither kernel nor network."""

from __future__ import annotations

from pyhad.common.config.builders.addresses import family_of
from pyhad.common.config.builders.alerts import AlertBuilder
from pyhad.common.config.builders.balancing import tunnel_of
from pyhad.common.config.builders.globals import Globals
from pyhad.common.config.builders.listeners import Group, Head, build_groups, read_head, with_protocol
from pyhad.common.config.builders.servers import ServerBuilder, forwarding_of, is_name
from pyhad.common.config.check_settings import warn_of_latencies
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import (
    CheckedServer,
    DataPlane,
    Forwarding,
    Listener,
    Protocol,
    RealServer,
    SorryServer,
    VirtualServer,
)
from pyhad.common.config.model.alerts import ToldService
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass

DEFAULT_PERSISTENCE_S = 360
_MAX_ENGINE = 15
_FLAGS = ("ops", "flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback")
_OF_SCHEDULER = {"sh-port": "sh", "sh-fallback": "sh", "mh-port": "mh", "mh-fallback": "mh"}
_NFTABLES_FLAGS = ("sh-port", "sh-fallback", "mh-port", "mh-fallback")
_NFTABLES_SCHEDULERS = ("rr", "wrr", "sh", "mh", "dh")


@dataclass(frozen=True, slots=True)
class Services:
    """Both halves of the load balancing: what to program, and what to check."""

    virtual_servers: tuple[VirtualServer, ...]
    checked: tuple[CheckedServer, ...]
    told: tuple[ToldService, ...] = ()


def build_services(root: Statement, shared: Globals, alerts: AlertBuilder, complaints: Complaints) -> Services:
    """All services that can be run."""
    groups = build_groups(root, complaints)
    services: list[VirtualServer] = []
    checked: list[CheckedServer] = []
    told: list[ToldService] = []
    owners: dict[Listener, tuple[str, Statement]] = {}
    for statement in root.every("virtual_server"):
        head = read_head(statement, complaints)
        if head is None:
            continue
        built = _Service(statement, head, groups, shared, alerts, complaints).build()
        if built is None:
            continue
        service, servers, told_service = built
        if not _is_doubled(service, statement, owners, complaints):
            services.append(service)
            checked += servers
            told.append(told_service)
    return Services(tuple(services), tuple(checked), tuple(told))


def _is_doubled(
    service: VirtualServer,
    statement: Statement,
    owners: dict[Listener, tuple[str, Statement]],
    complaints: Complaints,
) -> bool:
    """Whether another service listens there already: the kernel can serve an address once only."""
    for listener in service.listeners:
        name, first = owners.setdefault(listener, (service.id, statement))
        if first is not statement:
            at = first.at
            where = f"{listener.address} port {listener.port}" if listener.address else f"fwmark {listener.fwmark}"
            message = f"{where} ({listener.protocol}) is served twice: first by {name} at {at.file}:{at.line}"
            complaints.error(message, statement.at)
            return True
    return False


class _Service:
    """One block on its way to the model."""

    def __init__(
        self, block: Statement, head: Head, groups: dict[str, Group], shared: Globals, alerts: AlertBuilder,
        complaints: Complaints,
    ) -> None:  # fmt: skip
        self._block = block
        self._head = head
        self._groups = groups
        self._shared = shared
        self._alerts = alerts
        self._complaints = complaints
        self._title = " ".join(word.text for word in block.line.words)

    def build(self) -> tuple[VirtualServer, list[CheckedServer], ToldService] | None:
        """The service, its checked servers, and who is told; None when it is left out or has errors."""
        block = self._block
        if not block.given("real_server"):
            self._complaints.warning(f"'{self._title}' is left out: it has no real_server", block.at)
            return None
        warn_of_latencies(block, self._complaints)
        protocol = self._protocol()
        listeners = self._listeners(protocol)
        if not listeners:
            return None
        identity = self._identity(protocol, listeners[0].family)
        builder = self._server_builder(identity, listeners)
        servers, checked = builder.build()
        sorry = builder.build_sorry(servers)
        timeout_s = self._persistence(listeners)
        quorum, hysteresis = self._quorum(servers)
        service = VirtualServer(
            id=identity,
            listeners=listeners,
            scheduler=builder.scheduler,
            flags=self._flags(builder.scheduler, protocol),
            persistence_timeout_s=timeout_s,
            persistence_granularity=block.text_of("persistence_granularity"),
            persistence_engine=block.text_of("persistence_engine")[:_MAX_ENGINE] if timeout_s else "",
            masquerade=block.has("pyhad_masquerade"),
            quorum=quorum,
            hysteresis=hysteresis,
            panic_threshold=block.number_of("pyhad_panic_threshold", 0),
            alpha=block.has("alpha"),
            sorry_server=sorry,
            servers=servers,
            source=f"{block.at.file}:{block.at.line}",
            marked=self._is_marked(listeners),
        )
        self._fits_plane(service, servers, sorry)
        self._say_suspend()
        return service, checked, self._alerts.service(block, identity, listeners, tuple(builder.told))

    def _say_suspend(self) -> None:
        found = self._block.last("ha_suspend")
        if found is not None and (self._head.group or self._head.fwmark is not None):
            self._complaints.warning("ha_suspend is ignored: it needs a service with one address", found.at)

    def _server_builder(self, identity: str, listeners: tuple[Listener, ...]) -> ServerBuilder:
        forwarding = self._forwarding()
        return ServerBuilder(
            block=self._block,
            service=identity,
            listeners=listeners,
            forwarding=forwarding,
            tunnel=tunnel_of(self._block.last("lb_kind"), forwarding, self._complaints),
            scheduler=self._scheduler(),
            log_all_failures=self._shared.log_all_failures,
            bfd_sessions=self._shared.bfd_sessions,
            track_files=self._shared.track_files,
            alerts=self._alerts,
            complaints=self._complaints,
        )

    # --------------------------------------------------------------------------------------------- identity

    def _protocol(self) -> Protocol:
        """FIX-51 and FIX-52."""
        found = self._block.last("protocol")
        if self._head.fwmark is not None:
            if found is not None:
                self._complaints.warning("protocol is ignored: a firewall mark decides", found.at)
            return Protocol.NONE
        if found is not None:
            return Protocol(found.text().lower())
        if not self._block.given("protocol"):
            message = f"'{self._title}' has no protocol: UDP is used"
            self._complaints.warning(message, self._block.at, hint="add: protocol TCP")
        return Protocol.UDP

    def _named_family(self) -> int:
        return {"inet": 4, "inet6": 6}.get(self._block.text_of("ip_family"), 0)

    def _servers_family(self) -> int:
        for real in self._block.every("real_server"):
            if not is_name(real.text()):
                return family_of(real.text())
        return 4

    def _listeners(self, protocol: Protocol) -> tuple[Listener, ...]:
        head = self._head
        family = self._named_family() or self._servers_family()
        if head.fwmark is not None:
            return (Listener(protocol=Protocol.NONE, family=family, fwmark=head.fwmark),)
        if head.address:
            own = family_of(head.address)
            if self._named_family() not in (0, own):
                found = self._block.last("ip_family") or self._block
                self._complaints.error(f"ip_family does not agree with {head.address}", found.at)
            return (Listener(protocol=protocol, family=own, address=head.address, port=head.port),)
        return self._group_listeners(protocol, family)

    def _group_listeners(self, protocol: Protocol, family: int) -> tuple[Listener, ...]:
        """FIX-62; a group of both families serves the one that the service or its servers have."""
        group = self._groups.get(self._head.group)
        if group is None:
            known = ", ".join(sorted(self._groups)) or "none is defined"
            message = f"virtual_server_group '{self._head.group}' is not defined"
            self._complaints.error(message, self._block.at, hint=f"known groups: {known}")
            return ()
        listeners = tuple(with_protocol(listener, protocol, family) for listener in group.listeners)
        families = {listener.family for listener in listeners}
        if len(families) > 1:
            message = f"group '{self._head.group}' has IPv4 and IPv6 entries: only IPv{family} is served here"
            self._complaints.warning(message, group.statement.at, hint="make one group for each family")
            listeners = tuple(listener for listener in listeners if listener.family == family)
        return listeners

    def _identity(self, protocol: Protocol, family: int) -> str:
        head = self._head
        if head.group:
            return f"group:{head.group}/{protocol}"
        if head.fwmark is not None:
            return f"fwmark:{head.fwmark}/{'inet6' if family == 6 else 'inet'}"
        address = f"[{head.address}]" if family == 6 else head.address
        return f"{address}:{head.port}/{protocol}"

    # ------------------------------------------------------------------------------------------ scheduling

    def _forwarding(self) -> Forwarding:
        """FIX-53."""
        found = self._block.last("lb_kind")
        if found is not None:
            return forwarding_of(found)
        if not self._block.given("lb_kind"):
            message = f"'{self._title}' has no lb_kind: NAT is used"
            self._complaints.warning(message, self._block.at, hint="add: lb_kind NAT")
        return Forwarding.NAT

    def _scheduler(self) -> str:
        """FIX-53."""
        found = self._block.last("lb_algo")
        if found is not None:
            return found.text()
        if not self._block.given("lb_algo"):
            message = f"'{self._title}' has no lb_algo: wlc is used"
            self._complaints.warning(message, self._block.at, hint="add: lb_algo wlc")
        return "wlc"

    def _flags(self, scheduler: str, protocol: Protocol) -> tuple[str, ...]:
        """FIX-54, and hash flags of another scheduler."""
        flags: list[str] = []
        for name in _FLAGS:
            found = self._block.last(name)
            if found is None:
                continue
            wanted = _OF_SCHEDULER.get(name, scheduler)
            if wanted != scheduler:
                message = f"{name} is ignored: it belongs to lb_algo {wanted}, not {scheduler}"
                self._complaints.warning(message, found.at)
            elif name == "ops" and protocol not in (Protocol.UDP, Protocol.NONE):
                self._complaints.warning("ops is ignored: it needs protocol UDP", found.at)
            else:
                flags.append(name)
        return tuple(flags)

    def _persistence(self, listeners: tuple[Listener, ...]) -> int:
        """Seconds; FIX-55."""
        found = self._block.last("persistence_timeout")
        if found is not None:
            return found.number() if found.values else DEFAULT_PERSISTENCE_S
        if self._block.given("persistence_granularity"):
            return DEFAULT_PERSISTENCE_S
        if any(listener.address and not listener.port for listener in listeners):
            message = f"'{self._title}' has port 0: persistence of {DEFAULT_PERSISTENCE_S} s is used"
            self._complaints.warning(message, self._block.at, hint="give it a port, or a persistence_timeout")
            return DEFAULT_PERSISTENCE_S
        return 0

    def _quorum(self, servers: tuple[RealServer, ...]) -> tuple[int, int]:
        """FIX-59."""
        block = self._block
        quorum = block.number_of("quorum", 1)
        hysteresis = block.number_of("hysteresis", 0)
        weights = sum(server.weight for server in servers)
        found = block.last("quorum")
        if quorum > weights and found is not None:
            lowered = max(weights, 1)
            message = f"quorum {quorum} is more than all weights together: {lowered} is used"
            self._complaints.warning(message, found.at)
            quorum = lowered
        found = block.last("hysteresis")
        if hysteresis >= quorum and found is not None:
            message = f"hysteresis {hysteresis} is not less than the quorum: {quorum - 1} is used"
            self._complaints.warning(message, found.at)
            hysteresis = quorum - 1
        if quorum <= weights < quorum + hysteresis and found is not None:
            needed = f"quorum {quorum} and hysteresis {hysteresis} together are more than all weights, {weights}"
            hint = "raise the weights or lower one of the two, unless a check raises weights"
            self._complaints.warning(f"{needed}: once lost, the quorum is not regained", found.at, hint=hint)
        return quorum, hysteresis

    def _is_marked(self, listeners: tuple[Listener, ...]) -> bool:
        """LVS-22. A group that has marks of its own is left as it is, and so is everything where nftables balances."""
        is_wanted = self._shared.marks_groups and self._shared.data_plane is not DataPlane.NFTABLES
        return is_wanted and bool(self._head.group) and all(listener.address for listener in listeners)

    def _fits_plane(self, service: VirtualServer, servers: tuple[RealServer, ...], sorry: SorryServer | None) -> None:
        if self._shared.data_plane is DataPlane.NFTABLES:
            self._fits_nftables(service, servers, sorry)
        elif self._shared.data_plane is DataPlane.IPVS and service.masquerade:
            message = f"service {service.id}: IPVS cannot do pyhad_masquerade"
            self._complaints.error(message, self._block.at, hint="use pyhad_data_plane nftables")

    def _fits_nftables(
        self, service: VirtualServer, servers: tuple[RealServer, ...], sorry: SorryServer | None
    ) -> None:
        """What the nftables data plane cannot do is an error where it was asked for by name."""
        problems: list[str] = []
        if service.scheduler not in _NFTABLES_SCHEDULERS:
            problems.append(f"lb_algo {service.scheduler} (only {', '.join(_NFTABLES_SCHEDULERS)})")
        methods = {server.forwarding for server in servers} | ({sorry.forwarding} if sorry else set())
        problems += [f"lb_kind {method}" for method in sorted(methods - {Forwarding.NAT})]
        if service.persistence_engine:
            problems.append(f"persistence_engine {service.persistence_engine}")
        problems += [flag for flag in service.flags if flag not in _NFTABLES_FLAGS]
        if any(server.upper_threshold or server.lower_threshold for server in servers):
            problems.append("uthreshold and lthreshold")
        if service.masquerade and not all(listener.port for listener in service.listeners):
            problems.append("pyhad_masquerade of a service without a port")
        for problem in problems:
            self._complaints.error(
                f"service {service.id}: the nftables data plane cannot do {problem}",
                self._block.at,
                hint="use pyhad_data_plane ipvs or auto",
                trouble=Trouble.INVALID_VALUE,
            )
