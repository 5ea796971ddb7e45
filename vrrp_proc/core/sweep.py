"""Which addresses on the machine are left over: ours by their mark, and no router's any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import VirtualAddress, VrrpInstance


def left_over(marked: Iterable[VirtualAddress], configured: Iterable[VrrpInstance]) -> tuple[VirtualAddress, ...]:
    """Those of `marked` (on their interface now, installed by some run of pyhad) that no router of `configured` has.

    They come from a predecessor that was killed before the configuration changed. Nobody would ever remove them, and
    as long as they stay this machine answers for them.
    """
    wanted = {
        (virtual.interface, virtual.address, virtual.prefix_len)
        for config in configured
        for virtual in config.addresses + config.excluded_addresses
    }
    return tuple(one for one in marked if (one.interface, one.address, one.prefix_len) not in wanted)
