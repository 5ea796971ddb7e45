"""Polled links, `log_unknown_vrids` and `disable_local_igmp` to the model. Builds no router."""

from __future__ import annotations

from collections.abc import Iterable

from pyhad.common.config.builders.globals import merged_globals
from pyhad.common.config.model import VrrpInstance
from pyhad.common.config.model.lookout import LinkPoll, Lookout, PollMethod
from pyhad.common.config.model.tracking import TrackerKind
from pyhad.common.config.tree import Statement

_METHODS = (PollMethod.MII, PollMethod.ETHTOOL, PollMethod.IOCTL)


def build_lookout(root: Statement, instances: Iterable[VrrpInstance]) -> Lookout:
    """`instances` with their trackers: `linkbeat_use_polling` at the top means the interfaces of all of them."""
    one = merged_globals(root)
    methods = _named(root)
    blocks = {block.text(): block for block in reversed(list(root.every("vrrp_instance")))}
    everywhere = root.has("linkbeat_use_polling")
    for instance in instances:
        if everywhere:
            for name in _followed(instance):
                methods.setdefault(name, PollMethod.ANY)
        elif blocks[instance.name].has("linkbeat_use_polling") and instance.interface:
            methods.setdefault(instance.interface, PollMethod.ANY)
    return Lookout(
        link_polls=tuple(LinkPoll(interface=name, method=method) for name, method in methods.items()),
        unknown_vrids=one.has("log_unknown_vrids"),
        local_igmp=not one.has("disable_local_igmp"),
    )


def _named(root: Statement) -> dict[str, PollMethod]:
    """`linkbeat_interfaces`; the last line of an interface counts."""
    found: dict[str, PollMethod] = {}
    for block in root.every("linkbeat_interfaces"):
        for entry in block.children:
            named = entry.options.get("IFNAME")
            if named and not entry.broken:
                given = [method for method in _METHODS if method.value in entry.options]
                found[str(named[0])] = given[0] if given else PollMethod.ANY
    return found


def _followed(instance: VrrpInstance) -> list[str]:
    """Real interfaces only: those that we make ourselves have the carrier of what they stand on."""
    weighed = [tracker.name for tracker in instance.trackers if tracker.kind is TrackerKind.INTERFACE]
    made = {vmac.name for vmac in instance.vmacs}
    return [name for name in (instance.interface, *instance.tracked_interfaces, *weighed) if name and name not in made]
