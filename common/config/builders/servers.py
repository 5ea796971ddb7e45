"""`real_server` blocks and the sorry server of one service to the model: FIX-56 to FIX-61, with their checks."""

from __future__ import annotations

from collections.abc import Mapping

from pyhad.common.config.builders.addresses import family_of
from pyhad.common.config.builders.alerts import AlertBuilder
from pyhad.common.config.builders.balancing import tunnel_of
from pyhad.common.config.builders.checks import build_checks
from pyhad.common.config.checked_around import Around, CheckSettings
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import (
    PLAIN_TUNNEL,
    Check,
    CheckedServer,
    Forwarding,
    Listener,
    RealServer,
    SorryServer,
    Tunnel,
)
from pyhad.common.config.model.alerts import ToldServer
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass, field

_BLIND_SCHEDULERS = ("rr", "lc", "dh", "lblc", "lblcr", "fo", "ovf", "twos")
"""They look at no weight, or not at how great it is beside others."""


def forwarding_of(statement: Statement) -> Forwarding:
    """The method of an `lb_kind`, `lvs_method` or `sorry_server_lvs_method` line."""
    return Forwarding(statement.text())


def is_name(host: str) -> bool:
    """It is no address."""
    return ":" not in host and not host.rpartition(".")[2].isdigit()


def server_id(address: str, port: int) -> str:
    """`10.0.0.11:80`, `[fd00::2]:80`."""
    return f"[{address}]:{port}" if family_of(address) == 6 else f"{address}:{port}"


@dataclass(slots=True, kw_only=True)
class ServerBuilder:
    """Builds the servers of one service."""

    block: Statement
    service: str
    listeners: tuple[Listener, ...]
    forwarding: Forwarding
    tunnel: Tunnel
    scheduler: str
    log_all_failures: bool
    bfd_sessions: frozenset[str]
    track_files: Mapping[str, Statement]
    alerts: AlertBuilder
    complaints: Complaints
    told: list[ToldServer] = field(default_factory=list)
    """Every server, filled by `build`."""

    def build(self) -> tuple[tuple[RealServer, ...], list[CheckedServer]]:
        """The servers, and those of them that have checks that act."""
        servers: dict[str, RealServer] = {}
        checked: list[CheckedServer] = []
        settings: dict[tuple[int, ...], CheckSettings] = {}
        suspends_without = self._suspends_without()
        for statement in self.block.every("real_server"):
            host, port = _address_and_port(statement)
            address = "" if is_name(host) else host
            forwarding = self._method(statement)
            if address and not self._same_family(statement, address, forwarding):
                continue
            effective = self._port(statement, port, forwarding)
            identity = server_id(host, effective)
            if identity in servers:
                message = f"real_server {identity} is ignored: the service has it already"
                self.complaints.warning(message, statement.at)
                continue
            around = Around(
                self.block, statement, address, port or effective, self.listeners[0].family, self.log_all_failures,
                self.alerts.scripts, self.bfd_sessions, self.track_files, settings,
            )  # fmt: skip
            checks = build_checks(around, self.complaints)
            server = self._server(statement, identity, address, effective, forwarding, checks)
            servers[identity] = server
            self.told.append(self.alerts.server(statement, server, self.listeners[0].protocol))
            if checks or server.name:
                checked.append(self._checked(server, checks, suspends_without))
        return tuple(servers.values()), checked

    def _checked(self, server: RealServer, checks: tuple[Check, ...], suspends_without: str) -> CheckedServer:
        return CheckedServer(
            service=self.service,
            server=server.id,
            address=server.address,
            port=server.port,
            weight=server.weight,
            alpha=server.alpha,
            checks=checks,
            suspends_without=suspends_without,
            name=server.name,
            family=self.listeners[0].family,
        )

    def _suspends_without(self) -> str:
        """`ha_suspend` of a service with one address."""
        is_single = self.block.text() not in ("group", "fwmark")
        return self.listeners[0].address if is_single and self.block.has("ha_suspend") else ""

    def _server(
        self, statement: Statement, identity: str, address: str, port: int, forwarding: Forwarding,
        checks: tuple[Check, ...],
    ) -> RealServer:  # fmt: skip
        weight = statement.number_of("weight", self.block.number_of("weight", 1))
        return RealServer(
            id=identity,
            address=address,
            port=port,
            weight=weight,
            forwarding=forwarding,
            inhibit_on_failure=statement.switch("inhibit_on_failure", default=self.block.has("inhibit_on_failure")),
            alpha=any(check.alpha for check in checks),
            is_checked=bool(checks) or not address,
            upper_threshold=statement.number_of("uthreshold", 0),
            lower_threshold=statement.number_of("lthreshold", 0),
            tunnel=self._tunnel(statement.last("lvs_method"), forwarding),
            slow_start_ns=self._slow_start(statement, weight),
            name="" if address else statement.text(),
        )

    def _slow_start(self, statement: Statement, weight: int) -> int:
        """A ramp needs weights that can be less, and a scheduler that looks at them."""
        own = statement.last("pyhad_slow_start")
        slow_start_ns = statement.number_of("pyhad_slow_start", self.block.number_of("pyhad_slow_start", 0))
        if not slow_start_ns:
            return 0
        problem = ""
        if self.scheduler in _BLIND_SCHEDULERS:
            problem = f"lb_algo {self.scheduler} looks at no weights"
        elif weight == 1:
            problem = "a weight of 1 cannot be less"
        if problem:
            at = (own or self.block.last("pyhad_slow_start") or statement).at
            message = f"pyhad_slow_start does nothing for real_server {statement.text()}: {problem}"
            self.complaints.warning(message, at, hint="use lb_algo wrr or wlc, and weights of 10 or more")
        return slow_start_ns

    def build_sorry(self, servers: tuple[RealServer, ...]) -> SorryServer | None:
        """FIX-60: where it is also a real server, that one's inhibit counts."""
        found = self.block.last("sorry_server")
        if found is None:
            return None
        method = self.block.last("sorry_server_lvs_method")
        forwarding = forwarding_of(method) if method else self.forwarding
        address, port = _address_and_port(found)
        if not self._same_family(found, address, forwarding):
            return None
        port = self._port(found, port, forwarding)
        inhibit = self.block.has("sorry_server_inhibit")
        for server in servers:
            if server.id == server_id(address, port) and server.inhibit_on_failure != inhibit:
                message = f"sorry_server {server.id} is also a real_server: its inhibit_on_failure is used"
                self.complaints.warning(message, found.at)
                inhibit = server.inhibit_on_failure
        tunnel = self._tunnel(method, forwarding)
        return SorryServer(address=address, port=port, forwarding=forwarding, inhibit=inhibit, tunnel=tunnel)

    def _tunnel(self, own: Statement | None, forwarding: Forwarding) -> Tunnel:
        """Of its own method line, else of the service's."""
        if own is None:
            return self.tunnel if forwarding is Forwarding.TUNNEL else PLAIN_TUNNEL
        return tunnel_of(own, forwarding, self.complaints)

    def _method(self, statement: Statement) -> Forwarding:
        found = statement.last("lvs_method")
        return forwarding_of(found) if found else self.forwarding

    def _same_family(self, statement: Statement, address: str, forwarding: Forwarding) -> bool:
        """FIX-61."""
        family = self.listeners[0].family
        if family_of(address) == family or forwarding is Forwarding.TUNNEL:
            return True
        message = f"{statement.keyword.name} {address} is left out: the service is IPv{family}"
        self.complaints.warning(message, statement.at)
        return False

    def _port(self, statement: Statement, port: int, forwarding: Forwarding) -> int:
        """FIX-57 and FIX-58."""
        ports = {listener.port for listener in self.listeners if listener.address}
        what = statement.keyword.name
        if forwarding is Forwarding.NAT:
            return port or (ports.pop() if len(ports) == 1 else 0)
        if not ports:
            if port:
                message = f"{what}: port {port} is ignored: with a firewall mark and lb_kind {forwarding} there is none"
                self.complaints.warning(message, statement.at)
            return 0
        if port in ports or (not port and len(ports) > 1):
            return port
        if len(ports) > 1:
            message = f"{what}: with lb_kind {forwarding} the port of each entry of the group is used, not {port}"
            self.complaints.warning(message, statement.at)
            return port
        service_port = ports.pop()
        if port:
            message = f"{what}: with lb_kind {forwarding} the port is that of the service: {service_port}, not {port}"
            self.complaints.warning(message, statement.at, trouble=Trouble.INVALID_VALUE)
        return service_port


def _address_and_port(statement: Statement) -> tuple[str, int]:
    return statement.text(), statement.number(1) if len(statement.values) > 1 else 0
