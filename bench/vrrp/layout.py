"""Which virtual routers there are, on which interfaces and with which addresses, for every program of this bench."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyhad.common.config.model import VirtualAddress, VrrpInstance

PER_INTERFACE = 250
"""Of the 255 numbers that a segment has."""
_ADVERTISED = 20
"""Of a router's addresses; the others are excluded ones, which are installed but not told."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One case: so many routers, each with so many addresses."""

    routers: int
    interval_cs: int
    version: int
    addresses: int = 1
    priority: int = 100
    has_vmac: bool = False

    def words(self) -> list[str]:
        """As arguments of another program, which has no virtual MACs."""
        return [str(n) for n in (self.routers, self.interval_cs, self.version, self.addresses, self.priority)]

    def __str__(self) -> str:
        many = f" x {self.addresses}" if self.addresses > 1 else " with virtual MACs" if self.has_vmac else ""
        return f"{self.routers}{many} at {self.interval_cs * 10} ms (v{self.version})"

    @property
    def down_s(self) -> float:
        """How long a backup waits in vain."""
        skew_s = (256 - self.priority) / 256 * (1 if self.version == 2 else self.interval_cs / 100)
        return 3 * self.interval_cs / 100 + skew_s

    @property
    def interfaces(self) -> list[str]:
        """eth0 and so on."""
        return [f"eth{number}" for number in range(-(-self.routers // PER_INTERFACE))]

    def place_of(self, number: int) -> tuple[str, int]:
        """(interface, VRID) of one router."""
        return f"eth{number // PER_INTERFACE}", number % PER_INTERFACE + 1

    def all_routers(self) -> Iterator[VrrpInstance]:
        """As the one that speaks sees them."""
        for number in range(self.routers):
            interface, vrid = self.place_of(number)
            yield VrrpInstance(
                name=f"V{number}", vrid=vrid, family=4, interface=interface, version=self.version,
                start_as_master=False, base_priority=200, advertisement_interval_cs=self.interval_cs,
                addresses=tuple(
                    VirtualAddress(address=address, prefix_len=32, interface=interface)
                    for address in self.addresses_of(number)[:_ADVERTISED]
                ),
            )  # fmt: skip

    def addresses_of(self, number: int) -> list[str]:
        """All of one router's."""
        first = number * self.addresses
        return [
            f"10.{100 + place // 62500}.{place // 250 % 250}.{place % 250 + 1}"
            for place in range(first, first + self.addresses)
        ]

    def configuration(self, extra: str = "") -> str:
        """A keepalived.conf that both read."""
        blocks = [
            f"global_defs {{\n router_id bench\n vrrp_garp_master_repeat 1\n vrrp_garp_master_delay 0\n{extra}}}\n"
        ]
        vmac = "\n use_vmac" if self.has_vmac else ""
        state = "MASTER" if self.priority == 255 else "BACKUP"
        for number in range(self.routers):
            interface, vrid = self.place_of(number)
            addresses = self.addresses_of(number)
            told = "".join(f"  {address}/32\n" for address in addresses[:_ADVERTISED])
            excluded = "".join(f"  {address}/32\n" for address in addresses[_ADVERTISED:])
            if excluded:
                excluded = f" virtual_ipaddress_excluded {{\n{excluded} }}\n"
            blocks.append(
                f"vrrp_instance V{number} {{\n state {state}\n interface {interface}\n virtual_router_id {vrid}\n"
                f" version {self.version}\n priority {self.priority}\n advert_int {self.interval_cs / 100:g}{vmac}\n"
                f" virtual_ipaddress {{\n{told} }}\n{excluded}}}\n"
            )
        return "".join(blocks)


def address_of(host: str, interface: str) -> str:
    """A host's own one on that interface."""
    return f"192.168.{interface.removeprefix('eth')}.{ {'d': 1, 'x': 2}[host] }"
