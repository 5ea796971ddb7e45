"""`use_vmac` and `use_ipvlan` to the model: which interfaces an instance makes for itself, and what is on them.

Names are given in the order of the file (VMAC-1). What exists on the machine under such a name is seen at start only.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pyhad.common.config.builders.addresses import family_of
from pyhad.common.config.builders.globals import Globals
from pyhad.common.config.builders.strict import is_strict
from pyhad.common.config.complaints import Complaints
from pyhad.common.config.model import VirtualAddress, VrrpInstance
from pyhad.common.config.model.vmac import IpvlanMode, Vmac, VmacKind
from pyhad.common.config.source import Trouble
from pyhad.common.config.tree import Statement
from pyhad.common.records import dataclass, field

_MAX_NAME = 15
_GROUPS = ("/etc/iproute2/group", "/usr/share/iproute2/group")
_VIRTUAL = re.compile(r"00:00:5e:00:0[12]:[0-9a-f]{2}")


@dataclass(slots=True)
class _Names:
    """Names that were given, each with what it stands for."""

    by_place: dict[tuple[str, str], str] = field(default_factory=dict)
    """(base, MAC) -> name: two routers of one MAC on one base share the interface."""
    used: set[str] = field(default_factory=set)
    chosen: dict[str, tuple[tuple[str, str, str], str]] = field(default_factory=dict)
    """By the operator: name -> ((base, MAC, address), instance). What is the same may be shared."""

    def take(self, base: str, mac: str, family: int, prefix: str, vrid: int) -> str:
        """As VMAC-1 has it: `vrrp.51`, of IPv6 then `vrrp6.51`, then `vrrp1.51` and so on."""
        known = self.by_place.get((base, mac)) if mac else None
        if known is not None:
            return known
        tries = [f"{prefix}.{vrid}", *([f"{prefix}6.{vrid}"] if family == 6 else [])]
        tries += [f"{prefix}{number}.{vrid}" for number in range(1, 256)]
        name = next((name for name in tries if name not in self.used), tries[0])
        return self.give(base, mac, name)

    def give(self, base: str, mac: str, name: str) -> str:
        """The operator's own choice."""
        self.used.add(name)
        return self.by_place.setdefault((base, mac), name) if mac else name


def with_vmacs(
    root: Statement, instances: tuple[VrrpInstance, ...], shared: Globals, complaints: Complaints
) -> tuple[VrrpInstance, ...]:
    """The instances with their interfaces, and their addresses on them (VMAC-1 to VMAC-8)."""
    blocks = {block.text(): block for block in root.every("vrrp_instance")}
    names = _Names()
    named = [_Builder(config, blocks[config.name], shared, complaints, names) for config in instances]
    for builder in named:  # the operator's names first: no generated one may be in their way
        builder.reserve()
    return tuple(builder.build() for builder in named)


class _Builder:
    """One instance."""

    def __init__(
        self, config: VrrpInstance, block: Statement, shared: Globals, complaints: Complaints, names: _Names
    ) -> None:
        self._config = config
        self._block = block
        self._shared = shared
        self._complaints = complaints
        self._names = names
        self._others: dict[str, Vmac] = {}
        self._name = ""
        """As the operator wants it, empty when a name is to be made."""

    def reserve(self) -> None:
        found = self._block.last("use_vmac") or self._block.last("use_ipvlan")
        name, base = _option(found, "name"), self._config.interface
        if found is None or not name or not base:
            return
        mac = self._mac(found, quiet=True) if found.name == "use_vmac" else ""
        what = base, mac, "" if mac else str(found.options.get("ADDRESS", ""))
        other, owner = self._names.chosen.setdefault(name, (what, self._config.name))
        if other != what:
            message = f"{found.name}: the name {name} is ignored: the interface of '{owner}' has it"
            self._complaints.warning(message, found.at)
            return
        self._name = name
        self._names.give(base, mac, name)

    def build(self) -> VrrpInstance:
        config, block = self._config, self._block
        vmac, ipvlan = block.last("use_vmac"), block.last("use_ipvlan")
        if vmac is not None and ipvlan is not None:
            message = f"use_ipvlan is ignored: '{config.name}' has use_vmac"
            self._complaints.warning(message, ipvlan.at)
            ipvlan = None
        if not config.interface:
            self._needs_ground(vmac or ipvlan)
            vmac = ipvlan = None
        own = self._vmac(vmac) if vmac is not None else self._ipvlan(ipvlan) if ipvlan is not None else None
        addresses = tuple(self._placed(one, own) for one in config.addresses)
        excluded = tuple(self._placed(one, own) for one in config.excluded_addresses)
        promotes = self._promotes(own)
        if own is None and not self._others and not promotes:
            return config
        config = replace(
            config,
            vmac=own,
            address_vmacs=tuple(self._others.values()),
            addresses=addresses,
            excluded_addresses=excluded,
            promote_secondaries=promotes,
        )
        return replace(config, vmac_xmit_base=self._speaks_on_base(config))

    # ------------------------------------------------------------------------------------------- interfaces

    def _needs_ground(self, found: Statement | None) -> None:
        """There is nothing to make it on; addresses that name a device may still have one there (`use_vmac_addr`)."""
        if found is not None:
            message = f"{found.name} is ignored: '{self._config.name}' has no interface"
            self._complaints.warning(message, found.at, hint="add: interface IFNAME")

    def _vmac(self, found: Statement) -> Vmac:
        config, mac, name = self._config, self._mac(found), self._name
        own_name = name or self._generated(config.interface, mac, config.family, self._shared.vmacs.prefix)
        return Vmac(
            name=own_name,
            base=config.interface,
            family=config.family,
            mac=mac,
            named=bool(name),
            group=self._group(found),
            notify_base="netlink_notify_msg" in found.options,
        )

    def _ipvlan(self, found: Statement) -> Vmac:
        config, name = self._config, self._name
        modes = [mode for mode in IpvlanMode if mode.value in found.options]
        if len(modes) > 1:
            message = "use_ipvlan: bridge, private and vepa exclude each other"
            self._complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)
        address, prefix_len = "", 0
        given = found.options.get("ADDRESS")
        if given and isinstance(given[0], tuple):
            address, prefix_len = str(given[0][0]), int(given[0][1])
        if address and family_of(address) != config.family:
            message = f"use_ipvlan: {address} is no IPv{config.family} address, and '{config.name}' uses that"
            self._complaints.error(message, found.at, trouble=Trouble.INVALID_VALUE)
        if not address and config.family == 4:
            self._complaints.warning(
                f"use_ipvlan without an address: '{config.name}' stays in FAULT",
                found.at,
                hint="write: use_ipvlan ADDRESS/LENGTH, an address of its own for its adverts",
            )
        return Vmac(
            name=name or self._generated(config.interface, "", config.family, self._shared.vmacs.prefix),
            base=config.interface,
            family=config.family,
            kind=VmacKind.IPVLAN,
            named=bool(name),
            group=self._group(found),
            mode=modes[0] if modes else IpvlanMode.BRIDGE,
            address=address,
            prefix_len=prefix_len,
        )

    def _generated(self, base: str, mac: str, family: int, prefix: str) -> str:
        name = self._names.take(base, mac, family, prefix, self._config.vrid)
        if len(name.encode()) > _MAX_NAME:
            message = f"'{name}' is too long for the name of an interface: {_MAX_NAME} characters at most"
            self._complaints.error(message, self._block.at, hint="shorten vmac_prefix", trouble=Trouble.INVALID_VALUE)
        return name

    def _mac(self, found: Statement | None, *, quiet: bool = False) -> str:
        """FIX-13, and what no virtual MAC can be. Five octets get the VRID as the sixth."""
        config = self._config
        standard = _mac_of(config.family, config.vrid)
        text = _option(found, "MAC")
        if found is None or not text:
            return standard
        octets = [int(octet, 16) for octet in text.split(":")]
        mac = ":".join(f"{octet:02x}" for octet in (octets if len(octets) == 6 else [*octets, config.vrid]))
        complaint = ""
        if is_strict(self._block, self._shared):
            complaint = "strict mode does not allow it"
        elif octets[0] & 1:
            complaint = "it is a multicast address"
        elif _VIRTUAL.fullmatch(mac):
            complaint = "it belongs to VRRP itself"
        if not complaint:
            return mac
        if not quiet:
            message = f"use_vmac: {text} is ignored: {complaint}; '{config.name}' uses {standard}"
            self._complaints.warning(message, found.at, trouble=Trouble.INVALID_VALUE)
        return standard

    def _group(self, found: Statement) -> int | None:
        text = _option(found, "group")
        if not text:
            return None
        number = link_group(text)
        if number is None:
            self._complaints.error(
                f"group: '{text}' is no number and not in {_GROUPS[0]}", found.at, trouble=Trouble.INVALID_VALUE
            )
        return number

    # -------------------------------------------------------------------------------------------- addresses

    def _placed(self, address: VirtualAddress, own: Vmac | None) -> VirtualAddress:
        """VMAC-8: on the instance's own interface where that fits, on a further one where that is wanted."""
        config = self._config
        family = family_of(address.address)
        if own is not None and address.interface == config.interface and family == config.family:
            if address.use_vmac:  # FIX-37
                message = f"use_vmac of {address.address} does nothing: the interface of '{config.name}' is one already"
                self._complaints.warning(message, self._block.at)
            return replace(address, interface=own.name)
        elsewhere = address.interface != config.interface or family != config.family
        if not address.use_vmac and not (elsewhere and self._block.has("use_vmac_addr")):
            return address
        mac = _mac_of(family, config.vrid)
        key = f"{address.interface} {family}"
        if key not in self._others:
            name = self._generated(address.interface, mac, family, self._shared.vmacs.addr_prefix)
            self._others[key] = Vmac(name=name, base=address.interface, family=family, mac=mac)
        return replace(address, interface=self._others[key].name)

    # ----------------------------------------------------------------------------------------------- adverts

    def _speaks_on_base(self, config: VrrpInstance) -> bool:
        """VMAC-4, FIX-31."""
        found = self._block.last("vmac_xmit_base")
        if config.vmac is None:
            return False
        if found is not None and is_strict(self._block, self._shared):
            message = f"vmac_xmit_base is ignored: strict mode of '{config.name}' does not allow it"
            self._complaints.warning(message, found.at)
            found = None
        if config.unicast_peers and found is None and config.vmac.kind is VmacKind.MACVLAN:
            message = f"'{config.name}' uses unicast: its adverts are sent by {config.interface}, as by vmac_xmit_base"
            self._complaints.warning(message, self._block.at)
            return True
        return found is not None

    def _promotes(self, own: Vmac | None) -> bool:
        """FIX-32: on interfaces of our own it is always set."""
        found = self._block.last("promote_secondaries")
        if found is not None and own is not None:
            message = f"promote_secondaries is ignored: the interface that '{self._config.name}' makes has it anyway"
            self._complaints.warning(message, found.at)
        return found is not None and own is None


def link_group(text: str) -> int | None:
    """The number of a link group, by number or by the name that iproute2 knows; None when there is none."""
    if text.isascii() and text.isdigit() and int(text) <= 0xFFFFFFFF:
        return int(text)
    for path in _GROUPS:
        try:
            with open(path, encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    words = line.split("#")[0].split()
                    if len(words) == 2 and words[1] == text and words[0].isdigit():
                        return int(words[0])
        except OSError:
            continue
    return None


def _mac_of(family: int, vrid: int) -> str:
    """RFC 9568 7.3."""
    return f"00:00:5e:00:{1 if family == 4 else 2:02x}:{vrid:02x}"


def _option(found: Statement | None, name: str) -> str:
    values = found.options.get(name, ()) if found is not None else ()
    return str(values[0]) if values else ""
