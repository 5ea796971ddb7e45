"""Everything that a text is made of: the configuration, the last reports, one moment on both clocks. Pure."""

from __future__ import annotations

from pyhad.common.config.model import ControlDocument, VrrpDocument, VrrpInstance
from pyhad.common.config.model.process import InstanceWords
from pyhad.common.messages import RouterStatus, StatusReply
from pyhad.common.records import dataclass, field
from pyhad.common.states import RouterState

NUMBERS = {RouterState.INIT: 0, RouterState.BACKUP: 1, RouterState.MASTER: 2, RouterState.FAULT: 3}
"""SIG-23."""
STATISTICS = (
    "advert_rcvd", "advert_sent", "become_master", "release_master", "packet_len_err", "advert_interval_err",
    "ip_ttl_err", "invalid_type_rcvd", "addr_list_err", "invalid_authtype", "authtype_mismatch", "auth_failure",
)  # fmt: skip
HMAC_STATISTICS = (
    "auth_ext_missing", "auth_ext_malformed", "auth_ext_unknown_key", "auth_ext_invalid_hmac", "auth_ext_stale",
    "auth_ext_replay",
)  # fmt: skip
"""Only where the instance has `auth_hmac`: readers written for older keepalived do not know them (SIG-25)."""
LAST_STATISTICS = ("pri_zero_rcvd", "pri_zero_sent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One instance: as configured, and as it is."""

    config: VrrpInstance
    words: InstanceWords
    status: RouterStatus
    statistics: dict[str, int]
    """keepalived's counters in its order, since they were last cleared by its signal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """`wall_offset_ns` makes a moment of the monotonic clock one of the wall clock."""

    document: ControlDocument
    status: StatusReply
    wall_offset_ns: int
    cleared: dict[str, dict[str, int]] = field(default_factory=dict)
    """Counters by instance as they were when they were last cleared."""

    @property
    def vrrp(self) -> VrrpDocument | None:
        """The configuration of the virtual routers."""
        return self.document.vrrp

    def wall_s(self, at_ns: int) -> float:
        """A moment of the monotonic clock in seconds since 1970; 0 for never."""
        return (at_ns + self.wall_offset_ns) / 1_000_000_000 if at_ns else 0.0

    def routers(self) -> list[Router]:
        """Those that are configured and were reported, in the file's order."""
        reported = {one.name: one for one in self.status.vrrp.routers} if self.status.vrrp else {}
        words = {one.name: one for one in self.document.words}
        configs = self.vrrp.instances if self.vrrp else ()
        return [
            Router(
                config=config,
                words=words.get(config.name, InstanceWords(name=config.name)),
                status=reported[config.name],
                statistics=self._statistics(config, reported[config.name]),
            )
            for config in configs
            if config.name in reported
        ]

    def _statistics(self, config: VrrpInstance, status: RouterStatus) -> dict[str, int]:
        names = (*STATISTICS, *(HMAC_STATISTICS if config.hmac else ()), *LAST_STATISTICS)
        cleared = self.cleared.get(config.name, {})
        return {name: since(status.counters.get(name, 0), cleared.get(name, 0)) for name in names}


def since(count: int, cleared: int) -> int:
    """What was counted after the clearing; a process that began anew counts from nothing."""
    return count - cleared if count >= cleared else count
