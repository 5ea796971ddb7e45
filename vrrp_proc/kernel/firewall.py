"""Puts the nftables rules of virtual routers into the kernel, and takes them away at the end.

libnftables is loaded only where there is something to write. A table that a killed run left and nobody needs is found
without it, by asking for the chain that makes it ours.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable, Mapping

from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.vmac import PLAIN_FIREWALL, Firewall
from pyhad.common.errors import KernelError
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.nft import Nft
from pyhad.vrrp_proc.core.firewall import MARK, Rules, make_rules, remove
from pyhad.vrrp_proc.kernel.netlink import NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, attribute, message

_GET_CHAIN = 10 << 8 | 4  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETCHAIN
_CHAIN_TABLE, _CHAIN_NAME = 1, 3  # NFTA_CHAIN_*
_FAMILIES = {"ip": socket.AF_INET, "ip6": socket.AF_INET6}
_ERROR_AT = 16
_NETLINK_NETFILTER = 12


class RouterFirewall:
    """The rules of all routers of the process."""

    def __init__(self, logger: FilteringBoundLogger) -> None:
        self._logger = logger
        self._nft: Nft | None = None
        self._settings = PLAIN_FIREWALL
        self._written: str | None = None
        """What the kernel has from us; None: nobody has looked yet."""

    def configure(self, settings: Firewall) -> None:
        """As of the last (re)load. Its table keeps its name until the end (REL-1)."""
        if self._written:
            settings = Firewall(
                table=self._settings.table,
                priority=settings.priority,
                by_index=settings.by_index,
                counters=settings.counters,
            )
        self._settings = settings

    def fit(self, instances: Iterable[VrrpInstance], indices: Mapping[str, int]) -> None:
        """Make the rules those of `instances`. What the kernel refuses is said; the routers go on without it."""
        configs = tuple(instances)
        rules = make_rules(self._settings, configs, indices)
        if rules.text == (self._written or "") and self._written is not None:
            return
        if not rules.text:
            self.close()
        elif not self._write(rules):
            plain = make_rules(self._settings, configs, indices, copies=False)
            if plain.text and plain.text != rules.text:
                self._write(plain)
        self._written = rules.text

    def close(self) -> None:
        """Take the rules away, ours or those of a killed predecessor."""
        if self._written or (self._written is None and is_ours(self._settings.table)):
            self._run(remove(self._settings), "firewall_not_removed")
        self._written = ""

    def _write(self, rules: Rules) -> bool:
        done = self._run(rules.text, "firewall_not_written")
        if done:
            self._logger.info("firewall_written", table=self._settings.table, drops=rules.drops)
        return done

    def _run(self, text: str, complaint: str) -> bool:
        try:
            if self._nft is None:
                self._nft = Nft()
            self._nft.run(text)
        except KernelError as error:
            remedy = "packets to addresses with no_accept are not dropped; nftables must be available"
            self._logger.error(complaint, error=str(error), remedy=remedy)
            return False
        return True


def is_ours(table: str) -> bool:
    """Whether one of the two tables is there and has our mark."""
    return any(_has_mark(family, table) for family in _FAMILIES.values())


def _has_mark(family: int, table: str) -> bool:
    body = struct.pack("=BBH", family, 0, 0)
    body += attribute(_CHAIN_TABLE, table.encode() + b"\0") + attribute(_CHAIN_NAME, MARK.encode() + b"\0")
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER) as sock:
            sock.setblocking(False)
            sock.sendto(message(_GET_CHAIN, NLM_F_REQUEST | NLM_F_ACK, 1, body), (0, 0))
            answer = sock.recv(65536)
    except OSError:  # a kernel without nftables has no table either
        return False
    kind, number = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("=i", answer, _ERROR_AT)[0]
    return kind != NLMSG_ERROR or number == 0 or -number not in (errno.ENOENT, errno.EOPNOTSUPP, errno.EPERM)
