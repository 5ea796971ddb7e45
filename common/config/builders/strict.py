"""Strict mode and the rules of address owners: what they change in an instance that is otherwise complete."""

from __future__ import annotations

from dataclasses import replace

from pyhad.common.config.builders.globals import Globals
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import HmacMode, VrrpInstance
from pyhad.common.config.tree import Statement

_OWNER = 255
_DOWN_TIMER_ADVERTS = 3  # RFC 9568 6.1
_LINK_LOCAL = ("fe8", "fe9", "fea", "feb")


def is_strict(block: Statement, shared: Globals) -> bool:
    """`strict_mode` of the instance, else `vrrp_strict`."""
    return block.switch("strict_mode", default=shared.strict)


def with_rules(instance: VrrpInstance, block: Statement, shared: Globals, complaints: Complaints) -> VrrpInstance:
    """The instance as its role and strict mode want it: FIX-2, 3, 4, 10, 15, 20, 21, 25 to 27, 34."""
    strict = is_strict(block, shared)
    if strict:
        instance = _strict(instance, block, complaints)
    if not _accepts(instance, block, complaints, strict=strict):
        instance = replace(instance, accept_mode=False)
    return _owner(instance, block, shared, complaints, strict=strict)


def _strict(instance: VrrpInstance, block: Statement, complaints: Complaints) -> VrrpInstance:
    _refuse(instance, block, complaints)
    _first_address(instance, block, complaints)
    owns = instance.base_priority == _OWNER
    wanted = replace(
        instance,
        version=3 if instance.family == 6 else instance.version,
        start_as_master=owns,
        authentication_data=b"",
        authentication_header=False,
        hmac=replace(instance.hmac, mode=HmacMode.ENFORCE) if instance.hmac else None,
        preempt_delay_ns=0,
        down_timer_adverts=_DOWN_TIMER_ADVERTS,
        higher_prio_send_advert=False,
        lower_prio_no_advert=True,
        announcement=replace(instance.announcement, lower_prio_delay_ns=0, lower_prio_repeat=0),
    )
    for word, changed in (
        ("version", wanted.version != instance.version),
        ("state", block.last("state") is not None and (block.text_of("state") == "MASTER") != owns),
        ("authentication", bool(instance.authentication_data)),
        ("auth_hmac", wanted.hmac != instance.hmac),
        ("preempt_delay", bool(instance.preempt_delay_ns)),
        ("down_timer_adverts", wanted.down_timer_adverts != instance.down_timer_adverts),
        ("higher_prio_send_advert", block.switch("higher_prio_send_advert", default=False)),
        ("lower_prio_no_advert", not block.switch("lower_prio_no_advert", default=True)),
        ("garp_lower_prio_delay", bool(block.number_of("garp_lower_prio_delay", 0))),
        ("garp_lower_prio_repeat", bool(block.number_of("garp_lower_prio_repeat", 0))),
    ):
        if changed:
            at = (block.last(word) or block).at
            complaints.warning(f"{word} of '{instance.name}' is changed: strict mode does not allow it", at)
    return wanted


def _accepts(instance: VrrpInstance, block: Statement, complaints: Complaints, *, strict: bool) -> bool:
    """VMAC-23, FIX-23: the owner accepts what is sent to its addresses, others as they are told; strict ones do not."""
    if instance.base_priority == _OWNER:
        return True
    said = [child for child in block.children if child.name in ("accept", "no_accept") and not child.broken]
    if not said:
        return not strict
    if said[-1].name == "accept" and strict and instance.version == 2:
        message = f"accept is ignored: '{instance.name}' is strict, and version 2 knows no accept mode"
        complaints.warning(message, said[-1].at)
        return False
    return said[-1].name == "accept"


def _refuse(instance: VrrpInstance, block: Statement, complaints: Complaints) -> None:
    """FIX-10 and FIX-34."""
    if instance.unicast_peers:
        complaints.error(f"unicast_peer: '{instance.name}' is strict, and the RFC knows multicast only", block.at)
    if not instance.addresses and instance.version == 2:
        complaints.error(f"vrrp_instance '{instance.name}' is strict and has no virtual_ipaddress", block.at)


def _first_address(instance: VrrpInstance, block: Statement, complaints: Complaints) -> None:
    """FIX-15 (RFC 9568 5.2.9): worth a word only where the RFC is to be kept to the letter."""
    first = instance.addresses[0].address if instance.addresses else ""
    if instance.family == 6 and first and not first.startswith(_LINK_LOCAL):
        message = f"the first address of '{instance.name}' should be link-local, {first} is not"
        complaints.warning(message, block.at)


def _owner(
    instance: VrrpInstance, block: Statement, shared: Globals, complaints: Complaints, *, strict: bool
) -> VrrpInstance:
    """FIX-26, and PKT-33 for whom it is meant. A `false` at 255 is taken at its word (QRK-8)."""
    owns = instance.base_priority == _OWNER
    wanted = block.switch("owner_ignore_adverts", default=shared.owner_ignores_adverts or (strict and owns))
    if wanted and not owns and block.last("owner_ignore_adverts") is not None:
        message = f"owner_ignore_adverts is ignored: '{instance.name}' has priority {instance.base_priority}"
        complaints.warning(message, block.at)
    return replace(instance, ignores_adverts=True) if wanted and owns else instance
