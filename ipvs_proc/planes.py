"""Which data plane this kernel offers. Opens it; writes nothing."""

from __future__ import annotations

from collections.abc import Callable

from pyhad.common.config.model import DataPlane
from pyhad.common.errors import KernelError
from pyhad.ipvs_proc.kernel import IpvsPlane
from pyhad.ipvs_proc.nftables import NftablesPlane
from pyhad.ipvs_proc.plane import Plane


def open_plane(choice: DataPlane, breathe: Callable[[], None]) -> Plane:
    """The plane of `choice`; AUTO takes IPVS where the kernel has it (or loads it), else nftables.

    `breathe` shows progress during long operations. Raises `KernelError` with the reason when there is none.
    """
    if choice is DataPlane.NFTABLES:
        return NftablesPlane(breathe)
    try:
        return IpvsPlane(breathe)
    except KernelError:
        if choice is DataPlane.IPVS:
            raise
    return NftablesPlane(breathe)


def sweep_nftables() -> bool:
    """Remove a table of a time when nftables balanced here; whether there was one.

    Its translation comes before IPVS sees a connection, so IPVS would never get any.
    """
    try:
        plane = NftablesPlane()
    except KernelError:
        return False
    try:
        if not plane.is_there():
            return False
        plane.retire()
    except KernelError:  # this kernel has no nftables
        return False
    finally:
        plane.close()
    return True
