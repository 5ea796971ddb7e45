"""What operators order through the control process, and the answers. Part of the catalogue: import `messages`."""

from __future__ import annotations

from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AtWork:
    """ipvs, checker -> control -> pyhadctl: the answer takes a while, but somebody is at it. Said again and again."""

    ticket: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyOrdered:
    """control -> vrrp: an operator holds routers back, or lets them go (`standby` False)."""

    ticket: int
    name: str
    """Of the instance, or `all`."""
    standby: bool
    for_ns: int
    """0: until taken back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyDone:
    """vrrp -> control: these instances obeyed the order with the same ticket; none has that name: empty."""

    ticket: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadRequest:
    """pyhadctl -> control: read the configuration files again."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadForRequest:
    """pyhadctl -> control: as ReloadRequest, and go back unless a `ReloadConfirmRequest` comes within `confirm_s`."""

    version: int
    confirm_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadConfirmRequest:
    """pyhadctl -> control: keep the configuration of the last reload; answered by a ReloadReply."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadReply:
    """control -> pyhadctl, when the reload has been done or refused."""

    ok: bool
    report: str
    """Messages of the configuration compiler as a person reads them; empty when all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyRequest:
    """pyhadctl -> control: hold routers back, or let them go; for uid 0 only."""

    version: int
    name: str
    standby: bool
    for_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StandbyReply:
    """control -> pyhadctl: these instances obeyed; empty when none has that name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """pyhadctl -> control: go on as the program that is installed now; for uid 0 only."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeReply:
    """control -> pyhadctl: the installed program was tried; it takes over, or `report` says why not."""

    ok: bool
    report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRequest:
    """pyhadctl -> control."""

    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReply:
    """control -> pyhadctl: version of the running daemon."""

    daemon: str
    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightRequest:
    """pyhadctl -> control (root only): this server has this weight until undone; 0 drains it, -1 undoes.

    Without defaults, which are left out when sent: a daemon of before wants every field.
    """

    version: int
    service: str
    server: str
    weight: int
    deadline_ns: int
    """With 0: leaves the table after this time even with connections; 0: when they are gone."""
    for_ns: int
    """Undone by itself after this time; 0: not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightWanted:
    """control -> ipvs: the same; answered by `WeightSet` with the same ticket."""

    ticket: int
    service: str
    server: str
    weight: int
    deadline_ns: int
    for_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSet:
    """ipvs -> control: it is so, or why not. It outlives reloads and the death of any process."""

    ticket: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightReply:
    """control -> pyhadctl: it is so, or why not."""

    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused:
    """control -> pyhadctl: the request cannot be served, and why."""

    reason: str
