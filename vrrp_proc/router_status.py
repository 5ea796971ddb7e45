"""A virtual router as `pyhadctl status` shows it. Changes nothing."""

from __future__ import annotations

import collections
from dataclasses import fields

from pyhad.common.messages import RouterStatus
from pyhad.vrrp_proc.core.events import FOREVER_NS
from pyhad.vrrp_proc.core.states import KEEPALIVED_COUNTERS, Counters
from pyhad.vrrp_proc.core.virtual_router import VirtualRouter
from pyhad.vrrp_proc.peers import Peers

_CORE_COUNTERS = tuple(field.name for field in fields(Counters))


def router_status(core: VirtualRouter, counters: collections.Counter[str], now_ns: int, peers: Peers) -> RouterStatus:
    """In FAULT the reason is the causes. `counters` are the shell's; the core's own are added."""
    snapshot, config = core.snapshot(), core.config
    every = dict.fromkeys(KEEPALIVED_COUNTERS, 0) | counters
    for name in _CORE_COUNTERS:
        every[name] = getattr(core.counters, name)
    return RouterStatus(
        name=config.name,
        vrid=config.vrid,
        family=config.family,
        version=config.version,
        interface=config.interface or config.vrf,
        state=snapshot.state,
        since_ns=snapshot.since_ns,
        reason=",".join(sorted(snapshot.faults)) or snapshot.reason.value,
        base_priority=config.base_priority,
        effective_priority=snapshot.effective_priority,
        master_address=snapshot.master_address,
        master_priority=snapshot.master_priority,
        addresses=tuple(f"{virtual.address}/{virtual.prefix_len}" for virtual in core.all_addresses),
        advert_interval_cs=config.advertisement_interval_cs,
        counters=every,
        admin="standby" if core.is_held_back(now_ns) else "",
        routes=tuple(route.text for route in config.routes),
        rules=tuple(rule.text for rule in config.rules),
        missing=tuple(path.text for path in core.refused_paths),
        vmac=config.vmac.name if config.vmac is not None else "",
        peers=peers.status(config, now_ns),
        standby_until_ns=0 if snapshot.standby_until_ns == FOREVER_NS else snapshot.standby_until_ns,
        master_interval_cs=snapshot.active_adver_interval_cs,
    )
