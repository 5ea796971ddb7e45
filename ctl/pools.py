"""Services as an operator thinks of them: the checker's verdicts and the data plane's table laid side by side. Pure."""

from __future__ import annotations

from pyhad.common.messages import CheckStatus, DestinationStatus, ServerHealth, ServiceStatus, StatusReply
from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One real server of one service; either half may be missing."""

    name: str
    health: ServerHealth | None
    destination: DestinationStatus | None

    @property
    def shown(self) -> str:
        """Its name, and beside it the address that it has now where it was given by its name."""
        address = self.health.verdict.address if self.health is not None else ""
        return f"{self.name} ({address})" if address else self.name

    @property
    def sorry(self) -> bool:
        """It stands in when no real server is up."""
        return self.destination is not None and self.destination.sorry

    @property
    def up(self) -> bool:
        """The checker's verdict where there is one, else what the data plane believes."""
        if self.health is not None:
            return self.health.verdict.up
        return self.destination is not None and self.destination.up

    @property
    def checks(self) -> tuple[CheckStatus, ...]:
        """Its checks, none when the checker says nothing of it."""
        return self.health.checks if self.health is not None else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One virtual service with its real servers in the data plane's order, then those only the checker knows."""

    name: str
    service: ServiceStatus | None
    servers: tuple[Server, ...]

    @property
    def up_count(self) -> int:
        """Real servers that are up; the sorry server does not count."""
        return sum(server.up for server in self.servers if not server.sorry)

    @property
    def real_count(self) -> int:
        """Real servers; the sorry server does not count."""
        return sum(not server.sorry for server in self.servers)


def pools_of(reply: StatusReply) -> tuple[Pool, ...]:
    """Every service that either process knows."""
    health: dict[str, dict[str, ServerHealth]] = {}
    for entry in reply.checker.servers if reply.checker else ():
        health.setdefault(entry.verdict.service, {})[entry.verdict.server] = entry
    pools = []
    for service in reply.ipvs.services if reply.ipvs else ():
        pools.append(_pool(service.service, service, health.pop(service.service, {})))
    pools.extend(_pool(name, None, entries) for name, entries in health.items())
    return tuple(pools)


def _pool(name: str, service: ServiceStatus | None, health: dict[str, ServerHealth]) -> Pool:
    rest = dict(health)
    servers = [
        Server(
            name=destination.server,
            health=None if destination.sorry else rest.pop(destination.server, None),
            destination=destination,
        )
        for destination in (service.destinations if service else ())
    ]
    servers += [Server(name=server, health=entry, destination=None) for server, entry in rest.items()]
    return Pool(name=name, service=service, servers=tuple(servers))
