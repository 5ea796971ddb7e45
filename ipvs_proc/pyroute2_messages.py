"""What pyroute2 0.9.7 lacks of the kernel's IPVS, as declarations on its own message classes (linux/ip_vs.h).

Nothing that runs uses this file: it is in a form to be offered upstream, for programs that speak to IPVS by pyroute2.
pyhad itself writes and reads by its own codec (`core/ipvs_wire.py`, docs/decisions/0009), and its tests hold both
against each other and against the kernel.

    with GenericNetlinkSocket() as family:
        family.bind(GENL_NAME, ipvsmsg)
        message = ipvsmsg()
        message["cmd"], message["version"] = IPVS_CMD_GET_SERVICE, GENL_VERSION
        family.nlm_request(message, msg_type=family.prid, msg_flags=NLM_F_REQUEST | NLM_F_DUMP)

Not mended here: `IPVS.service("update")` and `dest("update")` of pyroute2 send the commands that delete.
"""

from __future__ import annotations

from socket import AF_INET6
from typing import Any

from pyroute2.netlink import genlmsg, nla
from pyroute2.netlink.generic import ipvs as lacking

IPVS_SVC_F_PERSISTENT = 0x1
IPVS_SVC_F_HASHED = 0x2
IPVS_SVC_F_ONEPACKET = 0x4
IPVS_SVC_F_SCHED1 = 0x8
IPVS_SVC_F_SCHED2 = 0x10
IPVS_SVC_F_SCHED3 = 0x20

IPVS_FWD_MASK = 0x7
IPVS_FWD_MASQ = 0
IPVS_FWD_LOCALNODE = 1
IPVS_FWD_TUNNEL = 2
IPVS_FWD_DROUTE = 3
IPVS_FWD_BYPASS = 4

IPVS_TUN_IPIP = 0
IPVS_TUN_GUE = 1
IPVS_TUN_GRE = 2

IPVS_TUN_FLAG_NOCSUM = 0
IPVS_TUN_FLAG_CSUM = 1
IPVS_TUN_FLAG_REMCSUM = 2

IPVS_STATE_MASTER = 1
IPVS_STATE_BACKUP = 2


def _kinds(names: str, prefix: str) -> tuple[tuple[str, str], ...]:
    """`NAME TYPE` pairs as pyroute2 wants them, numbered from 0 by their order."""
    words = names.split()
    return tuple((f"{prefix}{name}", kind) for name, kind in zip(words[::2], words[1::2], strict=True))


_COUNTERS = (
    "UNSPEC none CONNS {n} INPKTS {n} OUTPKTS {n} INBYTES uint64 OUTBYTES uint64 "
    "CPS {n} INPPS {n} OUTPPS {n} INBPS {n} OUTBPS {n} PAD hex"
)


class _Counted:
    """Statistics with the padding that the kernel puts between them."""

    class stats(nla):  # type: ignore[misc]
        nla_map = _kinds(_COUNTERS.format(n="uint32"), "IPVS_STATS_ATTR_")

    class stats64(nla):  # type: ignore[misc]
        nla_map = _kinds(_COUNTERS.format(n="uint64"), "IPVS_STATS_ATTR_")


def _family_of(holder: Any) -> int:
    """The family that was read already; of what is still to be encoded, the one given."""
    family = holder.get_attr("IPVS_SVC_ATTR_AF")
    return int(family or 0)


class ipvsmsg(lacking.ipvsmsg):  # type: ignore[misc]
    """Messages of all commands but GET_INFO, whose answer numbers its attributes on its own."""

    nla_map = _kinds(
        "UNSPEC none SERVICE service DEST dest DAEMON daemon "
        "TIMEOUT_TCP uint32 TIMEOUT_TCP_FIN uint32 TIMEOUT_UDP uint32",
        "IPVS_CMD_ATTR_",
    )

    class service(nla, _Counted):  # type: ignore[misc]
        """A virtual service. The mask of IPv4 is an address, that of IPv6 a length."""

        prefix = "IPVS_SVC_ATTR_"
        nla_map = _kinds(
            "UNSPEC none AF uint16 PROTOCOL uint16 ADDR target(nla,IPVS_SVC_ATTR_AF) PORT be16 FWMARK uint32 "
            "SCHED_NAME asciiz FLAGS flags TIMEOUT uint32 NETMASK netmask STATS stats PE_NAME asciiz STATS64 stats64",
            "IPVS_SVC_ATTR_",
        )

        class flags(nla):  # type: ignore[misc]
            fields = (("flags", "I"), ("mask", "I"))

        @staticmethod
        def netmask(holder: Any, **_: Any) -> Any:
            """By the family of the service, which comes before it."""
            return nla.uint32 if _family_of(holder) == AF_INET6 else nla.ip4addr

    class dest(nla, _Counted):  # type: ignore[misc]
        """A real server. ADDR_FAMILY must stand before ADDR in what is sent: the address is encoded by it."""

        prefix = "IPVS_DEST_ATTR_"
        nla_map = _kinds(
            "UNSPEC none ADDR target(nla,IPVS_DEST_ATTR_ADDR_FAMILY) PORT be16 FWD_METHOD uint32 WEIGHT uint32 "
            "U_THRESH uint32 L_THRESH uint32 ACTIVE_CONNS uint32 INACT_CONNS uint32 PERSIST_CONNS uint32 STATS stats "
            "ADDR_FAMILY uint16 STATS64 stats64 TUN_TYPE uint8 TUN_PORT be16 TUN_FLAGS uint16",
            "IPVS_DEST_ATTR_",
        )

    class daemon(nla):  # type: ignore[misc]
        """A synchronisation daemon."""

        prefix = "IPVS_DAEMON_ATTR_"
        nla_map = _kinds(
            "UNSPEC none STATE uint32 MCAST_IFN asciiz SYNC_ID uint32 SYNC_MAXLEN uint16 "
            "MCAST_GROUP ip4addr MCAST_GROUP6 ip6addr MCAST_PORT uint16 MCAST_TTL uint8",
            "IPVS_DAEMON_ATTR_",
        )


class ipvsinfo(genlmsg):  # type: ignore[misc]
    """The answer to GET_INFO."""

    prefix = "IPVS_INFO_ATTR_"
    nla_map = _kinds("UNSPEC none VERSION uint32 CONN_TAB_SIZE uint32", "IPVS_INFO_ATTR_")
