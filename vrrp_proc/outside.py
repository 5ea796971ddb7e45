"""What the VRRP service opens: netlink, raw and packet sockets, the link to control. Opens them and decides nothing.

One class, so that the simulator can put a service of its own into a world without kernel and wires.
"""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.messages import RouterStatus, StandbyOrdered
from pyhad.common.runtime import Runtime
from pyhad.vrrp_proc.kernel.firewall import RouterFirewall
from pyhad.vrrp_proc.kernel.links import Changes, LinkMonitor, Links
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket
from pyhad.vrrp_proc.ports import Ports
from pyhad.vrrp_proc.status import Reporter
from pyhad.vrrp_proc.wire.announce import Announcer


class Outside:
    """One per process. Every method raises KernelError when what it opens cannot be had."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def route(self) -> RouteSocket:
        """Orders to rtnetlink."""
        return RouteSocket()

    def monitor(self, route: RouteSocket, on_change: Callable[[Changes], None]) -> LinkMonitor:
        """News of interfaces and addresses."""
        return LinkMonitor(route, on_change)

    def ports(self, links: Links) -> Ports:
        """The ways to the network."""
        return Ports(links, self._runtime.loop, self._runtime.logger, self._runtime.counters)

    def announcer(self, links: Links) -> Announcer:
        """Gratuitous ARP and neighbour advertisements."""
        return Announcer(links, self._runtime.counters)

    def firewall(self) -> RouterFirewall:
        """Rules of nftables."""
        return RouterFirewall(self._runtime.logger)

    def reporter(
        self,
        routers: Callable[[], tuple[RouterStatus, ...]],
        counters: Callable[[], dict[str, int]],
        on_standby: Callable[[StandbyOrdered], tuple[str, ...]],
        readings: Callable[[], dict[str, int | None]],
    ) -> Reporter:
        """The link to the control process."""
        return Reporter(self._runtime, routers, counters, on_standby, readings)
