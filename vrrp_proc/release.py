"""The last resort: VRRP cannot be kept alive, so this one-shot process gives up what it held. Listens to nobody.

The parent forks it instead of the next VRRP process, with the same black box. Whoever was master by that journal says
priority 0; all addresses that carry our mark and belong to a configured router are removed. The journal then says
INIT, so that the next VRRP process begins by listening.
"""

from __future__ import annotations

import dataclasses
import errno
import os

from pyhad.common import privileges
from pyhad.common.codec import decode
from pyhad.common.config.model import VrrpDocument, VrrpInstance
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger, ProcessLog
from pyhad.common.runtime import ChildContext
from pyhad.common.states import RouterState
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.addresses import Addresses
from pyhad.vrrp_proc.core.packet import PRIORITY_RELEASE, build_advertisement, build_ipv4
from pyhad.vrrp_proc.journal import Journal
from pyhad.vrrp_proc.links import LinkMonitor, Links
from pyhad.vrrp_proc.main import KEPT
from pyhad.vrrp_proc.route_socket import RouteSocket
from pyhad.vrrp_proc.sockets import Sender


def main(context: ChildContext) -> int:
    """Release everything; returns 0."""
    privileges.set_process_name("pyhad_release")
    log = ProcessLog(context.name, context.log)
    privileges.drop(uid=os.geteuid(), gid=os.getegid(), keep=KEPT)
    privileges.die_with_parent(context.parent_pid)
    release(decode(VrrpDocument, context.document).instances, Journal(context.box), log.logger)
    log.drain()
    return 0


def release(instances: tuple[VrrpInstance, ...], records: Journal, logger: FilteringBoundLogger) -> None:
    """Priority 0 of all masters first, then the removal of all addresses in one batch."""
    route = RouteSocket()
    links = LinkMonitor(route, lambda _changes: None).links
    mine = frozenset(
        virtual.address for config in instances for virtual in config.addresses + config.excluded_addresses
    )
    for config in instances:
        record = records.left_behind(config)
        if record is None:
            continue
        if record.state is RouterState.MASTER and config.family == 4:
            number = _say_release(config, links, mine)
            logger.warning("released", instance=config.name, error=os.strerror(number) if number else "")
        records.write(journal.key(config), dataclasses.replace(record, state=RouterState.INIT, down_at_ns=0))
    addresses = Addresses(route, links)
    every = [virtual for config in instances for virtual in config.addresses + config.excluded_addresses]
    outcome = addresses.remove(virtual for virtual in every if addresses.is_marked(virtual))
    logger.warning("addresses_released", removed=len(outcome.done), failed=len(outcome.failed))


def _say_release(config: VrrpInstance, links: Links, mine: frozenset[str]) -> int:
    """0 or an errno."""
    interface = links.by_name.get(config.interface)
    if interface is None:
        return errno.ENODEV
    source = config.source_address or interface.primary_ipv4(mine) or interface.primary_ipv4(frozenset())
    payload = build_advertisement(config, source=source, priority=PRIORITY_RELEASE)
    packet = build_ipv4(payload, source=source, destination=config.multicast_group, identification=1)
    try:
        sender = Sender(interface.name, interface.index)
    except KernelError:
        return errno.EIO
    number = sender.send(packet, config.multicast_group)
    sender.close()
    return number
