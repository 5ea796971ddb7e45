"""The nftables rules of virtual routers as text (VMAC-20, VMAC-21). Pure.

They do not change when a router becomes Active or Backup, so a fail-over never waits for them: who does not hold an
address is not sent anything that they would drop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.vmac import Firewall, VmacKind
from pyhad.common.records import dataclass

MARK = "pyhad"
"""A chain of this name, with nothing in it, makes a table ours."""
_LINK_LOCAL = ("fe8", "fe9", "fea", "feb")
_FAMILIES = ("ip", "ip6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`text` replaces our tables by what is wanted; empty: no rules are. `drops`: addresses are among them."""

    text: str
    drops: bool


def make_rules(
    settings: Firewall, instances: Iterable[VrrpInstance], indices: Mapping[str, int], *, copies: bool = True
) -> Rules:
    """`indices`: of all interfaces, by name. Without `copies` rules that duplicate packets are left out."""
    configs = list(instances)
    closed = [
        (virtual.address, virtual.interface)
        for config in configs
        if not config.accept_mode
        for virtual in config.addresses + config.excluded_addresses
    ]
    sets4 = _set("vips", "ipv4_addr", sorted({address for address, _ in closed if ":" not in address}))
    plain6 = sorted({address for address, _ in closed if ":" in address and not address.startswith(_LINK_LOCAL)})
    local6 = sorted({pair for pair in closed if pair[0].startswith(_LINK_LOCAL)})
    reports = _reports(settings, configs, indices) if copies else ""
    ip = _chains(settings, "ip", "vips", "") if sets4 else ""
    ip6 = sets6 = ""
    if plain6 or local6 or reports:
        sets6 = _set("vips", "ipv6_addr", plain6) + _links(settings, local6, indices) + reports
        ip6 = _chains(settings, "ip6", "vips" if plain6 else "", _OUT_REPORTS if reports else "", bool(local6))
    if not ip and not ip6:
        return Rules(text="", drops=False)
    text = remove(settings)
    for family, body in (("ip", sets4 + ip), ("ip6", sets6 + ip6)):
        if body:
            text += f"table {family} {settings.table} {{\n chain {MARK} {{\n }}\n{body}}}\n"
    return Rules(text=text, drops=bool(closed))


def remove(settings: Firewall) -> str:
    """Takes both tables away, whether they are there or not."""
    return "".join(
        f"add table {family} {settings.table}\ndelete table {family} {settings.table}\n" for family in _FAMILIES
    )


_OUT_REPORTS = "  icmpv6 type mld2-listener-report dup to ip6 daddr device {key} map @bases drop\n"
"""Reports of group membership leave with the MAC of the base: with the virtual one they would move it to this port."""


def _reports(settings: Firewall, configs: list[VrrpInstance], indices: Mapping[str, int]) -> str:
    made = {vmac.name: vmac for config in configs for vmac in config.vmacs if vmac.kind is VmacKind.MACVLAN}
    pairs = [
        f"{_interface(settings, name, indices)} : {indices[vmac.base]}"
        for name, vmac in made.items()
        if vmac.family == 6 and name in indices and vmac.base in indices
    ]
    if not pairs:
        return ""
    kind = "iface_index" if settings.by_index else "ifname"
    return f" map bases {{\n  type {kind} : iface_index\n  elements = {{ {', '.join(pairs)} }}\n }}\n"


def _links(settings: Firewall, pairs: list[tuple[str, str]], indices: Mapping[str, int]) -> str:
    """Link-local addresses are closed on their own interface only."""
    known = [pair for pair in pairs if not settings.by_index or pair[1] in indices]
    if not known:
        return ""
    kind = "iface_index" if settings.by_index else "ifname"
    elements = ", ".join(f"{address} . {_interface(settings, name, indices)}" for address, name in known)
    return f" set vips_link_local {{\n  type ipv6_addr . {kind}\n  elements = {{ {elements} }}\n }}\n"


def _interface(settings: Firewall, name: str, indices: Mapping[str, int]) -> str:
    return str(indices[name]) if settings.by_index else f'"{name}"'


def _set(name: str, kind: str, elements: list[str]) -> str:
    return f" set {name} {{\n  type {kind}\n  elements = {{ {', '.join(elements)} }}\n }}\n" if elements else ""


def _chains(settings: Firewall, family: str, name: str, reports: str, link_local: bool = False) -> str:
    """Neighbour discovery goes on (RFC 9568 6.1): who asks for the address is told."""
    verdict = "counter drop" if settings.counters else "drop"
    iif, oif = ("iif", "oif") if settings.by_index else ("iifname", "oifname")
    incoming = outgoing = ""
    if family == "ip6":
        outgoing += reports.format(key=oif)
        discovery = "  icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
        incoming, outgoing = incoming + discovery, outgoing + discovery
    if link_local:
        incoming += f"  ip6 daddr . {iif} @vips_link_local {verdict}\n"
        outgoing += f"  ip6 saddr . {oif} @vips_link_local {verdict}\n"
    if name:
        incoming += f"  {family} daddr @{name} {verdict}\n"
        outgoing += f"  {family} saddr @{name} {verdict}\n"
    return _chain(settings, "in", "input", incoming) + _chain(settings, "out", "output", outgoing)


def _chain(settings: Firewall, name: str, hook: str, rules: str) -> str:
    head = f"type filter hook {hook} priority filter {settings.priority:+d}; policy accept;"
    return f" chain {name} {{\n  {head}\n{rules} }}\n"
