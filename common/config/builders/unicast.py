"""`unicast_peer` and what goes with it to the model: whom the adverts go to, and whom we listen to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pyhad.common.config.builders.addresses import family_of
from pyhad.common.config.builders.globals import Globals
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import UnicastChecksum, UnicastPeer, VrrpInstance
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.config.values import Value

_LINK_LOCAL = ("fe8", "fe9", "fea", "feb")  # fe80::/10
_WORDS = ("unicast_src_ip", "unicast_ttl", "check_unicast_src", "old_unicast_checksum", "unicast_fault_no_peer")


def roams(block: Statement) -> bool:
    """Unicast may do without an interface where it says what address it speaks from (FIX-1, FIX-11)."""
    return bool(block.given("unicast_peer") and block.given("unicast_src_ip"))


def peer_lines(block: Statement) -> Iterator[Statement]:
    """The lines of all `unicast_peer` blocks."""
    for found in block.children:
        if found.name == "unicast_peer":
            yield from found.children


def peer_of(entry: Statement) -> str:
    """The address that a line of `unicast_peer` names, empty when it names none."""
    found = entry.options.get("ADDRESS")
    return str(found[0]) if found else ""


def with_unicast(instance: VrrpInstance, block: Statement, shared: Globals, complaints: Complaints) -> VrrpInstance:
    """The instance with its peers (PKT-8, PKT-36), or FIX-9 where it has none."""
    peers = _peers(instance, block, complaints)
    vrf = block.last("vrf")
    if vrf is not None and (instance.interface or not peers):  # FIX-16
        why = f"interface {instance.interface}" if instance.interface else "no peer"
        complaints.warning(f"vrf is ignored: '{instance.name}' has {why}", vrf.at)
    if not instance.interface:
        instance = _without_interface(instance, block, complaints, has_peers=bool(peers))
    if not peers:
        return _without_peers(instance, block, complaints)
    if block.last("mcast_dst_ip") is not None:
        message = f"mcast_dst_ip is ignored: '{instance.name}' uses unicast"  # FIX-24
        complaints.warning(message, block.at)
        instance = replace(instance, multicast_group=_group(instance, shared))
    limited = any(peer.min_ttl > 0 or peer.max_ttl < 255 for peer in peers)
    ttl = block.last("unicast_ttl")
    return replace(
        instance,
        source_address=block.text_of("unicast_src_ip") or instance.source_address,
        unicast_peers=peers,
        unicast_ttl=ttl.number() if ttl is not None and ttl.values else None,
        check_unicast_source=shared.check_unicast_source or block.has("check_unicast_src") or limited,
        unicast_checksum=_checksum(block),
        vrf=block.text_of("vrf") if not instance.interface else "",
    )


def _without_interface(
    instance: VrrpInstance, block: Statement, complaints: Complaints, *, has_peers: bool
) -> VrrpInstance:
    """FIX-11. The source is the one of unicast, whatever `mcast_src_ip` says."""
    if not has_peers:
        message = f"vrrp_instance '{instance.name}' has no interface, and no peer to do without"
        complaints.error(message, block.at, hint="add: interface IFNAME, or a peer")
    source = block.text_of("unicast_src_ip")
    if source.startswith(_LINK_LOCAL):
        message = f"unicast_src_ip: {source} means nothing without an interface"
        complaints.error(message, block.at, hint="add: interface IFNAME", trouble=Trouble.INVALID_VALUE)
    return replace(instance, source_address=source)


def _peers(instance: VrrpInstance, block: Statement, complaints: Complaints) -> tuple[UnicastPeer, ...]:
    peers: dict[str, UnicastPeer] = {}
    for entry in peer_lines(block):
        address = peer_of(entry)
        if entry.broken or not address:
            if not entry.broken:
                complaints.error("this line names no address", entry.at, trouble=Trouble.INVALID_VALUE)
            continue
        if family_of(address) != instance.family:
            complaints.warning(f"{address} is ignored: '{instance.name}' uses IPv{instance.family}", entry.at)
        elif address in peers:
            complaints.warning(f"{address} is ignored: '{instance.name}' has this peer already", entry.at)
        elif address == instance.source_address:
            complaints.warning(f"{address} is ignored: it is the address of '{instance.name}' itself", entry.at)
        else:
            low, high = _number(entry, "min_ttl", 0), _number(entry, "max_ttl", 255)
            if low > high:
                message = f"min_ttl {low} is above max_ttl {high}: nothing of this peer would be accepted"
                complaints.error(message, entry.at, trouble=Trouble.INVALID_VALUE)
            peers[address] = UnicastPeer(address=address, min_ttl=low, max_ttl=high)
    return tuple(peers.values())


def _number(entry: Statement, name: str, default: int) -> int:
    values: tuple[Value, ...] = entry.options.get(name, ())
    return values[0] if values and isinstance(values[0], int) else default


def _without_peers(instance: VrrpInstance, block: Statement, complaints: Complaints) -> VrrpInstance:
    for word in _WORDS:
        found = block.last(word)
        if found is not None and word != "unicast_fault_no_peer":
            message = f"{word} without unicast_peer: '{instance.name}' uses multicast"
            complaints.warning(message, found.at, trouble=Trouble.DEPRECATED)
    if not block.has("unicast_fault_no_peer") or not any(block.given(word) for word in (*_WORDS, "unicast_peer")):
        empty = block.last("unicast_peer")
        if empty is not None:
            complaints.warning(f"unicast_peer has no peer for '{instance.name}': it uses multicast", empty.at)
        return instance
    complaints.warning(f"'{instance.name}' has no unicast_peer: it stays in FAULT", block.at)
    return replace(instance, fault_without_peers=True)


def _group(instance: VrrpInstance, shared: Globals) -> str:
    return shared.multicast_group if instance.family == 4 else shared.multicast_group6


def _checksum(block: Statement) -> UnicastChecksum:
    found = block.last("old_unicast_checksum")
    if found is None:
        return UnicastChecksum.DETECT
    return UnicastChecksum.NEVER_OLD if found.values else UnicastChecksum.OLD
