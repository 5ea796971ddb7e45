"""One virtual server as a machine: which servers are up, whether there is a quorum, who should get connections.

Knows no kernel and no clock. What a checker has not tested yet never overrules what was known before (fail static).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pyhad.common.config.model import Forwarding, Listener, RealServer, SorryServer, VirtualServer
from pyhad.common.messages import Verdict
from pyhad.common.records import dataclass
from pyhad.ipvs_proc.core.effects import Remark
from pyhad.ipvs_proc.core.orders import Order
from pyhad.ipvs_proc.core.panic import kept_in
from pyhad.ipvs_proc.core.slow_start import begun_ns, next_step_ns, weight_at
from pyhad.ipvs_proc.core.table import Destination, Endpoint, Entry, endpoint_name
from pyhad.ipvs_proc.core.trust import fault_in, is_place

NOT_CHECKED_YET = "not_checked_yet"
"""Reason of a verdict that stands for no test at all."""
SORRY_WEIGHT = 1
QUORUM_REMARKS = ("quorum_lost", "quorum_gained")


@dataclass(slots=True)
class ServerState:
    """What is known of one real server. `known`: by a test or from the kernel, not assumed."""

    up: bool
    weight: int
    is_checked: bool = True
    known: bool = False
    was_up: bool = False
    """Once at least, or so it was assumed: then there is something to keep in."""
    is_found: bool = False
    """Taken over from a data plane, and the checker has not spoken yet."""
    found_weight: int = 0
    """It was found on its way to its whole weight, this far; 0: it was not."""
    since_ns: int = 0
    """Since when it is up or down, as the checker says."""
    address: str = ""
    """Of a server given by its name: the one it has now; empty: none is known."""
    address_before: str = ""
    """Where it was before it moved."""
    is_new: bool = False
    """It was up and is elsewhere now: from the next `climb` on it comes slowly, as one that recovered."""
    recovered_ns: int | None = None
    """It was down until then, or elsewhere, and comes slowly; None: it has its whole weight."""
    slow_weight: int = 0
    """With `recovered_ns`: its weight for now."""


class VirtualService:
    """The state of one `virtual_server`. Build it, then `adopt` or feed verdicts; `evaluate` after each change."""

    def __init__(self, config: VirtualServer, places: Mapping[str, str] | None = None) -> None:
        """`places`: where servers given by name were last, by their id; one that cannot be is not taken."""
        self.config = config
        self._named = _named_in(config)
        known = {name: at for name, at in (places or {}).items() if is_place(at, self._named.get(name, 0))}
        self.servers = {server.id: _assumed(server, known.get(server.id, "")) for server in config.servers}
        self.quorum_up = not config.alpha  # LVS-33
        self._ordered: dict[str, Order] = {}
        self._weight_sum: int | None = None
        """As `weight_sum`; None: it is to be added up anew. To do so for each of ten thousand deaths takes seconds."""
        self.kept: frozenset[str] = frozenset()
        """Servers that are down and stay in the table all the same (`pyhad_panic_threshold`)."""
        self._spans_ns = _spans_of(config)
        self._one: dict[Endpoint, list[str]] = {}
        """Places where more than one server is."""

    def adopt(self, listener: Listener, entry: Entry) -> None:
        """Take over what a data plane has for us. An entry without destinations says nothing (CHK-6 then holds)."""
        self._weight_sum = None
        if not entry.destinations:
            return
        for server in map(self._placed, self.config.servers):
            if not server.address or not server.is_checked:  # of one that is not, nobody would ever say that it is back
                continue
            there = entry.destinations.get(_endpoint(server, listener))
            order = self.ordered.get(server.id)
            if there is None and order is not None and order.is_out:
                # an operator took it out: that says nothing of its health
                self.servers[server.id] = _assumed(server, self.servers[server.id].address)
                continue
            is_ordered = order is not None
            drained = there is not None and there.weight == 0 and server.weight > 0 and not is_ordered
            up = there is not None and not (drained and server.inhibit_on_failure)
            weight = there.weight if there is not None and up and not is_ordered else server.weight
            self.servers[server.id] = ServerState(
                up=up, weight=weight, known=True, was_up=up or not server.alpha, is_found=up,
                address=server.address if server.name else "",
            )  # fmt: skip
        sorry = self.config.sorry_server
        if sorry is not None:
            endpoint = _endpoint(sorry, listener)
            serving = entry.destinations.get(endpoint)
            is_real = endpoint in self.endpoints(listener).values()
            self.quorum_up = serving is None or serving.weight == 0 or is_real

    def reconfigure(self, config: VirtualServer) -> None:
        """A reload: servers that stay keep their state (REL-33); a configured weight that changed is taken (REL-32).

        A server that has lost its checks is up: nobody would ever say that it is back.
        """
        before = {server.id: server for server in self.config.servers}
        states: dict[str, ServerState] = {}
        for server in config.servers:
            state = self.servers.get(server.id)
            moves = server.name and config.listeners[0].family != self.config.listeners[0].family
            if state is None or moves or not server.is_checked:
                state = _assumed(server)
            elif before[server.id].weight != server.weight:
                state.weight = server.weight
            state.is_checked = server.is_checked
            states[server.id] = state
        self.config = config
        self._named = _named_in(config)
        self.servers, self._weight_sum = states, None
        self._spans_ns = _spans_of(config)
        for name in states.keys() - self._spans_ns.keys():
            states[name].recovered_ns = None
        self.kept &= states.keys()

    @property
    def ordered(self) -> dict[str, Order]:
        """What operators ordered, by id of the server: it stands above every other weight. Replaced as a whole."""
        return self._ordered

    @ordered.setter
    def ordered(self, orders: dict[str, Order]) -> None:
        self._ordered, self._weight_sum = orders, None

    def weight_of(self, server: str) -> int:
        """What it should have while it is up."""
        order = self.ordered.get(server)
        return self.servers[server].weight if order is None else order.weight

    def take(self, verdict: Verdict) -> bool:
        """Believe the checker, as far as it can be true. True when something changed."""
        state = self.servers.get(verdict.server)
        if state is None or not state.is_checked or self.fault_in(verdict):
            return False
        before = (state.up, state.weight, state.address)
        address = self._place_for(verdict, state)
        if verdict.reason == NOT_CHECKED_YET and state.address and not address:
            return False  # its name was not looked up yet: that says nothing
        share = self._share_of(verdict.server)
        if state.is_found:
            self._find_on_its_way(state, verdict)
        if address != state.address:  # a new server: what was known is of another
            state.known, state.recovered_ns, state.found_weight = False, None, 0
            state.is_new = state.address != "" and state.up
            state.address_before, state.address = state.address, address
        if verdict.reason != NOT_CHECKED_YET:
            self._ramp(state, verdict)
            state.up, state.known, state.since_ns = verdict.up, True, verdict.since_ns
        elif not state.known:
            state.up = verdict.up
        state.was_up = state.was_up or state.up
        state.weight = verdict.weight
        if self._weight_sum is not None:
            self._weight_sum += self._share_of(verdict.server) - share
        return (state.up, state.weight, state.address) != before

    def _place_for(self, verdict: Verdict, state: ServerState) -> str:
        """Where it is now. One that an operator drains stays: its connections, which are waited for, are there."""
        if verdict.server not in self._named:
            return ""
        order = self.ordered.get(verdict.server)
        return state.address if state.address and order is not None and order.drains else verdict.address

    def fault_in(self, verdict: Verdict) -> str:
        """Why that verdict is not believed, as a fixed token; empty: it is."""
        return fault_in(verdict, self._named.get(verdict.server, 0))

    def _find_on_its_way(self, state: ServerState, verdict: Verdict) -> None:
        """A predecessor left it with less than its weight: the next `climb` goes on from there."""
        state.is_found = False
        is_up = verdict.up or verdict.reason == NOT_CHECKED_YET  # untested `alpha` ones are called down
        if 0 < state.weight < verdict.weight and is_up and verdict.server in self._spans_ns:
            state.found_weight = state.weight

    def _ramp(self, state: ServerState, verdict: Verdict) -> None:
        """Whether it comes back slowly: it was out."""
        if not verdict.up:
            state.recovered_ns, state.found_weight = None, 0
        elif verdict.server in self._spans_ns and (state.found_weight or self._was_out(state, verdict.server)):
            state.recovered_ns = verdict.since_ns

    def _was_out(self, state: ServerState, server: str) -> bool:
        return state.known and not state.up and server not in self.kept

    def climb(self, now_ns: int) -> bool:
        """Give the servers that come back slowly the weight of this moment. True when one has another than before."""
        changed = False
        for name, span_ns in self._spans_ns.items():
            state = self.servers[name]
            if state.is_new and state.up:
                state.recovered_ns = now_ns
            state.is_new = False
            if state.found_weight:
                begun = begun_ns(state.found_weight, state.weight, span_ns, now_ns)
                state.recovered_ns = min(begun, state.recovered_ns or begun)
                state.found_weight = 0
            if state.recovered_ns is None:
                continue
            weight = weight_at(state.weight, state.recovered_ns, span_ns, now_ns)
            changed = changed or weight != state.slow_weight
            state.slow_weight = weight
            if next_step_ns(state.recovered_ns, span_ns, now_ns) is None:
                state.recovered_ns = None
        return changed

    def next_climb_ns(self, now_ns: int) -> int | None:
        """When `climb` is due again; None: every server has its whole weight."""
        steps = (
            next_step_ns(since_ns, span_ns, now_ns)
            for name, span_ns in self._spans_ns.items()
            if (since_ns := self.servers[name].recovered_ns) is not None
        )
        return min((step for step in steps if step is not None), default=None)

    def whole_weight_ns(self, server: str) -> int:
        """When a server that comes back slowly has its whole weight; 0: it has it."""
        since_ns = self.servers[server].recovered_ns
        return 0 if since_ns is None else since_ns + self._spans_ns[server]

    def is_served(self, server: str) -> bool:
        """It is to get connections, for it is up or is kept in."""
        return self.servers[server].up or server in self.kept

    def weight_sum(self) -> int:
        """Sum of the weights of the servers that are up (LVS-30)."""
        if self._weight_sum is None:
            self._weight_sum = sum(map(self._share_of, self.servers))
        return self._weight_sum

    def _share_of(self, server: str) -> int:
        return self.weight_of(server) if self.servers[server].up else 0

    def evaluate(self) -> list[Remark]:
        """Quorum gained or lost (LVS-31, LVS-37), panic begun or ended, servers that are one. After every change."""
        return [*self._panic(), *self._quorum(), *self._twins()]

    def _twins(self) -> list[Remark]:
        """Names that lead to a place where another server is: said once, and again when that was over."""
        if not self._named:
            return []
        at: dict[Endpoint, list[str]] = {}
        for name, endpoint in self.endpoints(self.config.listeners[0]).items():
            if endpoint[0]:
                at.setdefault(endpoint, []).append(name)
        before, self._one = self._one, {endpoint: names for endpoint, names in at.items() if len(names) > 1}
        return [
            Remark(
                event="servers_are_one", warning=True,
                fields={"service": self.config.id, "address": endpoint_name(endpoint), "servers": ", ".join(names)},
            )
            for endpoint, names in self._one.items() if before.get(endpoint) != names
        ]  # fmt: skip

    def _panic(self) -> list[Remark]:
        """Those that are kept in give no quorum: scripts, mails and the sorry server go by the checks."""
        threshold = self.config.panic_threshold
        if not threshold and not self.kept:
            return []
        nowhere = {server.id for server in self.config.servers if not self._placed(server).address}
        able = [
            (name, state) for name, state in self.servers.items() if self.weight_of(name) > 0 and name not in nowhere
        ]
        up = sum(state.up for _, state in able)
        down = [(name, state.since_ns) for name, state in able if state.known and state.was_up and not state.up]
        before, self.kept = self.kept, kept_in(down, up, len(able), threshold)
        if bool(before) is bool(self.kept):
            return []
        event, is_begin = ("panic_began", True) if self.kept else ("panic_ended", False)
        fields: dict[str, str | int] = {
            "service": self.config.id, "up": up, "servers": len(able), "threshold_percent": threshold,
        }  # fmt: skip
        return [Remark(event=event, fields=fields, warning=is_begin)]

    def _quorum(self) -> list[Remark]:
        quorum, hysteresis, weight_sum = self.config.quorum, self.config.hysteresis, self.weight_sum()
        if self.quorum_up and (weight_sum == 0 or weight_sum < quorum - hysteresis):
            self.quorum_up = False
            return [self._remark("quorum_lost", weight_sum, warning=True)]
        if not self.quorum_up and weight_sum > 0 and weight_sum >= quorum + hysteresis:
            self.quorum_up = True
            return [self._remark("quorum_gained", weight_sum)]
        return []

    def destinations(self, listener: Listener) -> Iterator[Destination]:
        """Who should be in the table for `listener` now, in configuration order, the sorry server first when it serves.

        Lost quorum with a sorry server: it serves and the others are out (LVS-34). Without one those that are up stay.
        """
        sorry = self.config.sorry_server
        sorry_serves = sorry is not None and not self.quorum_up
        if sorry is not None and sorry_serves:
            yield _sorry(sorry, listener, SORRY_WEIGHT)
        for server in map(self._placed, self.config.servers):
            if not server.address:
                continue  # its name was never resolved
            state = self.servers[server.id]
            order = self.ordered.get(server.id)
            is_climbing = order is None and state.recovered_ns is not None
            weight = min(state.slow_weight, state.weight) if is_climbing else self.weight_of(server.id)
            if order is not None and order.is_out:
                continue
            is_drained = order is not None and order.drains  # its connections end by themselves, sorry server or not
            if self.is_served(server.id) and (not sorry_serves or is_drained):
                yield _real(server, listener, weight, state.address_before)
            elif server.inhibit_on_failure:
                yield _real(server, listener, 0)  # CHK-6, CHK-7
        if sorry is not None and sorry.inhibit and not sorry_serves:
            yield _sorry(sorry, listener, 0)  # LVS-35

    def sorry_endpoint(self, listener: Listener) -> Endpoint | None:
        """Where the sorry server of this service is, for reports."""
        return _endpoint(self.config.sorry_server, listener) if self.config.sorry_server else None

    def endpoints(self, listener: Listener) -> dict[str, Endpoint]:
        """Endpoint of each real server by id, for reports."""
        return {server.id: _endpoint(self._placed(server), listener) for server in self.config.servers}

    def _placed(self, server: RealServer) -> RealServer:
        """With the address that its name has now."""
        return replace(server, address=self.servers[server.id].address) if server.name else server

    def _remark(self, event: str, weight_sum: int, *, warning: bool = False) -> Remark:
        fields: dict[str, str | int] = {
            "service": self.config.id, "weight_sum": weight_sum,
            "quorum": self.config.quorum, "hysteresis": self.config.hysteresis,
        }  # fmt: skip
        return Remark(event=event, fields=fields, warning=warning)


def _spans_of(config: VirtualServer) -> dict[str, int]:
    """How long servers take that come back slowly."""
    return {server.id: server.slow_start_ns for server in config.servers if server.slow_start_ns}


def _named_in(config: VirtualServer) -> dict[str, int]:
    """Servers given by their name, and of which family their addresses are."""
    return {server.id: config.listeners[0].family for server in config.servers if server.name}


def _assumed(server: RealServer, address: str = "") -> ServerState:
    """Of one given by name: `address`, if that is known."""
    return ServerState(
        up=not server.alpha, weight=server.weight, is_checked=server.is_checked, was_up=not server.alpha,
        address=address,
    )  # fmt: skip


def _endpoint(server: RealServer | SorryServer, listener: Listener) -> Endpoint:
    """Address and port for this listener: only NAT can change the port (LVS-21, FIX-57, FIX-58)."""
    if listener.fwmark:
        return server.address, server.port if server.forwarding is Forwarding.NAT else 0
    if server.forwarding is not Forwarding.NAT or server.port == 0:
        return server.address, listener.port
    return server.address, server.port


def _real(server: RealServer, listener: Listener, weight: int, replaces: str = "") -> Destination:
    address, port = _endpoint(server, listener)
    return Destination(
        address=address, port=port, weight=weight, forwarding=server.forwarding,
        upper_threshold=server.upper_threshold, lower_threshold=server.lower_threshold, tunnel=server.tunnel,
        replaces=replaces,
    )  # fmt: skip


def _sorry(server: SorryServer, listener: Listener, weight: int) -> Destination:
    address, port = _endpoint(server, listener)
    return Destination(address=address, port=port, weight=weight, forwarding=server.forwarding, tunnel=server.tunnel)
