"""Why the kernel's IPVS refuses a change, and what an operator can do about it. Words only; pure."""

from __future__ import annotations

import errno

from pyhad.common.config.model import Listener
from pyhad.ipvs_proc.core.reconcile import AddDestination, AddService, Change, SetDestination, SetService

_OF_ANY = {
    errno.EPERM: "CAP_NET_ADMIN is missing in this network namespace",
    errno.ENOMEM: "the kernel has no memory for it",
    errno.EEXIST: "somebody else made it: it is taken over when the table is read again",
    errno.ESRCH: "somebody else removed the service: it is made again when the table is read",
    errno.ENOENT: "somebody else removed it: the table is read again",
    errno.EIO: "the kernel's answer was lost: the table is read again",
    errno.EPROTONOSUPPORT: "this kernel's IPVS does not have that protocol",
}
_OF_SYNC = {
    errno.ENODEV: "there is no such interface in this network namespace",
    errno.EINVAL: "IPVS synchronizes nothing while a service has real servers of the other address family",
    errno.EEXIST: "somebody else started it: ipvsadm --stop-daemon",
    errno.EADDRNOTAVAIL: "the interface needs an address",
}


def explained(change: Change, code: int) -> str:
    """Name of the errno and a remedy, as far as one is known: `ENOENT: load ip_vs_twos, …`."""
    name = errno.errorcode.get(code, str(code))
    remedy = _of_change(change, code) or _OF_ANY.get(code, "")
    return f"{name}: {remedy}" if remedy else name


def _of_change(change: Change, code: int) -> str:
    if code == errno.EAFNOSUPPORT or (code == errno.EINVAL and _is_ipv6(change.listener) and not _is_of_server(change)):
        return "has this kernel IPVS for IPv6 (CONFIG_IP_VS_IPV6)?"
    match change:
        case AddService() | SetService() if code == errno.ENOENT:
            scheduler, engine = change.service.scheduler, change.service.persistence_engine
            if not engine:
                return f"this kernel has no scheduler {scheduler}: load ip_vs_{scheduler}, or choose another lb_algo"
            return (
                f"this kernel has no persistence engine {engine}, or no scheduler {scheduler}: load "
                f"ip_vs_pe_{engine} and ip_vs_{scheduler}, or choose another persistence_engine or lb_algo"
            )
        case AddDestination() | SetDestination() if code == errno.ERANGE:
            return "uthreshold must not be less than lthreshold"
        case AddDestination() | SetDestination() if code == errno.EINVAL:
            remedy = "its address must be one that is routed, of the service's family unless lb_kind is TUN"
            is_mixed = (":" in change.destination.address) is not _is_ipv6(change.listener)
            return f"{remedy}, and only where no lvs_sync_daemon runs" if is_mixed else remedy
        case _:
            return ""


def explained_sync(code: int) -> str:
    """The same for the start of a sync daemon."""
    name = errno.errorcode.get(code, str(code))
    remedy = _OF_SYNC.get(code) or _OF_ANY.get(code, "")
    return f"{name}: {remedy}" if remedy else name


def _is_of_server(change: Change) -> bool:
    return isinstance(change, (AddDestination, SetDestination))


def _is_ipv6(listener: Listener) -> bool:
    return listener.family == 6
