"""The last resort: VRRP cannot be kept alive, so this one-shot process gives up what it held. Listens to nobody.

The parent forks it instead of the next VRRP process, with the same black box. Whoever was master by that journal says
priority 0; all addresses that carry our mark and belong to a configured router are removed. The journal then says
INIT, so that the next VRRP process begins by listening.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import time

from pyhad.common import privileges
from pyhad.common.codec import decode
from pyhad.common.config.model import VrrpDocument, VrrpInstance
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger, ProcessLog
from pyhad.common.runtime import ChildContext
from pyhad.common.states import RouterState
from pyhad.vrrp_proc import journal
from pyhad.vrrp_proc.core.outgoing import Outgoing
from pyhad.vrrp_proc.core.packet import PRIORITY_RELEASE
from pyhad.vrrp_proc.journal import Journal, Record
from pyhad.vrrp_proc.kernel.addresses import Addresses, address_mark_of
from pyhad.vrrp_proc.kernel.links import LinkMonitor, Links
from pyhad.vrrp_proc.kernel.route_socket import RouteSocket
from pyhad.vrrp_proc.kernel.vmacs import mark_of, names_on
from pyhad.vrrp_proc.main import KEPT
from pyhad.vrrp_proc.surroundings import source_of
from pyhad.vrrp_proc.wire.sockets import Sender
from pyhad.vrrp_proc.wire.sockets6 import Sender6
from pyhad.vrrp_proc.wire.sockets_vmac import send_once


def main(context: ChildContext) -> int:
    """Release everything; returns 0."""
    privileges.set_process_name("pyhad_release")
    log = ProcessLog(context.name, context.log)
    privileges.drop(uid=os.geteuid(), gid=os.getegid(), keep=KEPT)
    privileges.die_with_parent(context.parent_pid)
    document = decode(VrrpDocument, context.document)
    release(document.instances, Journal(context.box), log.logger, document.daemon)
    log.drain()
    return 0


def release(instances: tuple[VrrpInstance, ...], records: Journal, logger: FilteringBoundLogger, daemon: str) -> None:
    """Priority 0 of all masters first, then the removal of all addresses in one batch.

    Interfaces of our own stay, without addresses: the next VRRP process goes on with them.
    """
    route = RouteSocket()
    links = LinkMonitor(route, lambda _changes: None).links
    instances = names_on(links, instances, mark_of(daemon)).instances
    mine = frozenset(
        virtual.address for config in instances for virtual in config.addresses + config.excluded_addresses
    )
    for config in instances:
        record = records.left_behind(config)
        if record is None:
            continue
        if record.state is RouterState.MASTER:
            number = _say_release(config, record, links, mine)
            logger.warning("released", instance=config.name, error=os.strerror(number) if number else "")
        records.write(journal.key(config), dataclasses.replace(record, state=RouterState.INIT, down_at_ns=0))
    addresses = Addresses(route, links, address_mark_of(daemon))
    every = [virtual for config in instances for virtual in config.addresses + config.excluded_addresses]
    paths = addresses.paths().remove(path for config in instances for path in reversed(config.routes + config.rules))
    outcome = addresses.remove(virtual for virtual in every if addresses.is_marked(virtual))
    logger.warning("addresses_released", removed=len(outcome.done), failed=len(outcome.failed), routes=len(paths.done))


def _say_release(config: VrrpInstance, record: Record, links: Links, mine: frozenset[str]) -> int:
    """0 or an errno."""
    family, source = config.family, source_of(config, links, mine)
    speaks_on = links.by_name.get(config.speaks_on)
    if speaks_on is None and config.speaks_on:
        return errno.ENODEV
    if not source:
        return errno.EADDRNOTAVAIL
    outgoing = Outgoing(config)
    outgoing.change(config, source)
    outgoing.restore(record.sequence)
    packets = outgoing.packets(PRIORITY_RELEASE, time.time_ns())
    if speaks_on is not None and config.vmac is not None and config.vmac.mac and not config.vmac_xmit_base:
        return max(send_once(speaks_on.name, family, packet, destination) for packet, destination in packets)
    try:
        place = (speaks_on.name, speaks_on.index) if speaks_on is not None else ("", 0)
        sender = (Sender if family == 4 else Sender6)(*place)
    except KernelError:
        return errno.EIO
    number = 0
    for packet, destination in packets:
        number = sender.send(packet, destination) or number
    sender.close()
    return number
