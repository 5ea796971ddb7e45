"""What is left over on the machine: ours, and nobody's any more. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.model import Path, VirtualAddress, VirtualRoute, VrrpInstance


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


def left_over_paths(noted: Iterable[Path], configured: Iterable[Path]) -> tuple[Path, ...]:
    """Those of `noted` (a daemon of this name had them configured) that are not `configured` now: last ones first.

    Of two IPv6 routes that differ in what the kernel does not compare when it removes one, the new one would go: the
    old one has been replaced by it.
    """
    wanted = set(configured)
    places = {_place(path) for path in wanted if isinstance(path, VirtualRoute) and path.family == 6}
    left = [path for path in noted if path not in wanted]
    kept = {path for path in left if isinstance(path, VirtualRoute) and path.family == 6 and _place(path) in places}
    return tuple(path for path in reversed(left) if path not in kept)


def _place(route: VirtualRoute) -> tuple[object, ...]:
    return route.destination, route.prefix_len, route.source, route.table, route.vrf, route.metric
