"""Lines of `virtual_ipaddress` blocks to virtual addresses (NET-1). Asks no interface, no route."""

from __future__ import annotations

import ipaddress

from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import VirtualAddress
from pyhad.common.config.name_tables import Names, NameTables
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement

IFA_F_HOMEADDRESS, IFA_F_MANAGETEMPADDR, IFA_F_NOPREFIXROUTE, IFA_F_MCAUTOJOIN = 0x10, 0x100, 0x200, 0x400
_FLAGS = {
    "home": IFA_F_HOMEADDRESS, "mngtmpaddr": IFA_F_MANAGETEMPADDR, "noprefixroute": IFA_F_NOPREFIXROUTE,
    "autojoin": IFA_F_MCAUTOJOIN,
}  # fmt: skip
_V6_ONLY = ("home", "mngtmpaddr", "-nodad")
SCOPES = ("global", "site", "link", "host", "nowhere")
_MAX_LABEL = 15


def family_of(address: str) -> int:
    """4 or 6, of a canonical address."""
    return 6 if ":" in address else 4


def address_of(entry: Statement) -> str:
    """The address that a line names, empty when it names none."""
    found = entry.options.get("ADDRESS")
    return str(found[0][0]) if found and isinstance(found[0], tuple) else ""


def build_address(
    entry: Statement, interface: str, complaints: Complaints, names: NameTables | None = None
) -> VirtualAddress | None:
    """One line; None after an error. `interface` is the instance's own."""
    found = entry.options.get("ADDRESS")
    if entry.broken or not found or not isinstance(found[0], tuple):
        if not entry.broken:
            complaints.error("this line names no address", entry.at, trouble=Trouble.INVALID_VALUE)
        return None
    address, prefix_len = str(found[0][0]), int(found[0][1])
    family = family_of(address)
    peer, prefix_len = _peer(entry, address, prefix_len, complaints)
    _without_effect(entry, family, complaints)
    return VirtualAddress(
        address=address,
        prefix_len=prefix_len,
        interface=_text(entry, "dev") or interface,
        scope=_scope(entry, names or NameTables(), family, complaints),
        label=_label(entry, family, complaints),
        broadcast=_broadcast(entry, address, prefix_len, complaints),
        preferred_lft_s=_preferred_lft(entry, family, prefix_len, complaints),
        use_vmac="use_vmac" in entry.options,
        peer=peer,
        flags=sum(bit for word, bit in _FLAGS.items() if word in entry.options),
        detects_duplicates=family == 6 and "-nodad" in entry.options,
        tracked=is_tracked(entry),
    )


def is_tracked(entry: Statement) -> bool:
    """Whether the loss of its interface counts (TRK-31)."""
    return "no_track" not in entry.options


def _text(entry: Statement, name: str) -> str:
    values = entry.options.get(name)
    return str(values[0]) if values else ""


def _peer(entry: Statement, address: str, prefix_len: int, complaints: Complaints) -> tuple[str, int]:
    """(peer, prefix length that counts): with a peer the prefix is the peer's."""
    found = entry.options.get("peer")
    if not found or not isinstance(found[0], tuple):
        return "", prefix_len
    peer, peer_len = str(found[0][0]), int(found[0][1])
    if family_of(peer) != family_of(address):
        message = f"peer: {peer} is no IPv{family_of(address)} address, as {address} is"
        complaints.error(message, entry.at, trouble=Trouble.INVALID_VALUE)
    if "broadcast" in entry.options:
        complaints.error("an address has a peer or a broadcast address, not both", entry.at)
    return peer, peer_len


def _without_effect(entry: Statement, family: int, complaints: Complaints) -> None:
    words = [word for word in _V6_ONLY if word in entry.options] if family == 4 else []
    for word in words:
        complaints.warning(f"{word} is ignored: only IPv6 addresses have it", entry.at)


def _scope(entry: Statement, names: NameTables, family: int, complaints: Complaints) -> int:
    text = _text(entry, "scope")
    if not text:
        return 0
    if family == 6:
        complaints.warning("scope is ignored: only IPv4 addresses have one", entry.at)
        return 0
    number = names.number(Names.SCOPE, text)
    if number is None:
        known = ", ".join(SCOPES)
        complaints.error(
            f"scope: '{text}' is not one of {known} or a number from 0 to 255", entry.at, trouble=Trouble.INVALID_VALUE
        )
    return number or 0


def _label(entry: Statement, family: int, complaints: Complaints) -> str:
    label = _text(entry, "label")
    if label and family == 6:
        complaints.warning("label is ignored: only IPv4 addresses have one", entry.at)
        return ""
    if len(label.encode()) > _MAX_LABEL:
        complaints.error(
            f"label: '{label}' is longer than {_MAX_LABEL} characters", entry.at, trouble=Trouble.INVALID_VALUE
        )
    return label


def _preferred_lft(entry: Statement, family: int, prefix_len: int, complaints: Complaints) -> int | None:
    """NET-1: 0 for an IPv6 /128, for ever otherwise."""
    text = _text(entry, "preferred_lft")
    if not text:
        return 0 if family == 6 and prefix_len == 128 else None
    if text == "forever":
        return None
    if text.isascii() and text.isdigit() and int(text) < 2**32 - 1:
        return int(text)
    message = f"preferred_lft: '{text}' is not 'forever' or a number of seconds"
    complaints.error(message, entry.at, trouble=Trouble.INVALID_VALUE)
    return None


def _broadcast(entry: Statement, address: str, prefix_len: int, complaints: Complaints) -> str:
    """`+` sets the host bits, `-` clears them; anything else is an address."""
    text = _text(entry, "broadcast")
    if not text:
        return ""
    if family_of(address) == 6:
        complaints.warning("broadcast is ignored: only IPv4 addresses have one", entry.at)
        return ""
    if text not in ("+", "-"):
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            message = f"broadcast: '{text}' is not an IPv4 address, '+' or '-'"
            complaints.error(message, entry.at, trouble=Trouble.INVALID_VALUE)
            return ""
    if prefix_len > 30:
        message = f"broadcast {text} needs a prefix length of at most 30, not {prefix_len}"
        complaints.error(message, entry.at, hint=f"write {address}/24, say", trouble=Trouble.INVALID_VALUE)
        return ""
    network = ipaddress.IPv4Network((address, prefix_len), strict=False)
    return str(network.broadcast_address if text == "+" else network.network_address)
