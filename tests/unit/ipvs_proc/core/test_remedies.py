"""What a refusal of the kernel says to an operator."""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from pyhad.common.config.model import Listener, Protocol
from pyhad.ipvs_proc.core.reconcile import AddDestination, AddService, Change, DeleteDestination, DeleteService
from pyhad.ipvs_proc.core.remedies import explained, explained_sync
from pyhad.ipvs_proc.core.table import Service
from tests.unit.ipvs_proc.conftest import Make

SIX = Listener(protocol=Protocol.TCP, family=6, address="fd00::1", port=80)


def changes(make: Make) -> dict[str, Change]:
    service = Service(listener=make.listener, scheduler="twos")
    destination = make.entry({11: 1}).destinations["10.1.0.11", 80]
    return {
        "service": AddService(service=service),
        "engine": AddService(service=replace(service, persistence_engine="sip")),
        "six": AddService(service=replace(service, listener=SIX)),
        "server": AddDestination(listener=make.listener, destination=destination),
        "mixed": AddDestination(listener=SIX, destination=destination),
        "no server": DeleteDestination(listener=make.listener, endpoint=("10.1.0.11", 80)),
        "no service": DeleteService(listener=make.listener),
    }


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            "service",
            errno.ENOENT,
            "ENOENT: this kernel has no scheduler twos: load ip_vs_twos, or choose another lb_algo",
        ),
        (
            "engine",
            errno.ENOENT,
            "ENOENT: this kernel has no persistence engine sip, or no scheduler twos: load ip_vs_pe_sip and "
            "ip_vs_twos, or choose another persistence_engine or lb_algo",
        ),
        ("six", errno.EAFNOSUPPORT, "EAFNOSUPPORT: has this kernel IPVS for IPv6 (CONFIG_IP_VS_IPV6)?"),
        ("server", errno.ERANGE, "ERANGE: uthreshold must not be less than lthreshold"),
        (
            "server",
            errno.EINVAL,
            "EINVAL: its address must be one that is routed, of the service's family unless lb_kind is TUN",
        ),
        (
            "mixed",
            errno.EINVAL,
            "EINVAL: its address must be one that is routed, of the service's family unless lb_kind is TUN, and only "
            "where no lvs_sync_daemon runs",
        ),
        ("no server", errno.ENOENT, "ENOENT: somebody else removed it: the table is read again"),
        ("no service", errno.EPERM, "EPERM: CAP_NET_ADMIN is missing in this network namespace"),
        ("service", errno.EXDEV, "EXDEV"),
        ("service", 4000, "4000"),
    ],
)
def test_a_refusal_has_the_name_of_its_errno_and_a_remedy(make: Make, change: str, code: int, words: str) -> None:
    assert explained(changes(make)[change], code) == words


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENODEV, "ENODEV: there is no such interface in this network namespace"),
        (
            errno.EINVAL,
            "EINVAL: IPVS synchronizes nothing while a service has real servers of the other address family",
        ),
        (errno.EPERM, "EPERM: CAP_NET_ADMIN is missing in this network namespace"),
        (errno.EXDEV, "EXDEV"),
    ],
)
def test_so_has_a_sync_daemon_that_does_not_start(code: int, words: str) -> None:
    assert explained_sync(code) == words
