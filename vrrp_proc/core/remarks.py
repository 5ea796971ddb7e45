"""What is said once and then kept quiet until the state changes (PKT-37): decides that, and nothing about routing."""

from __future__ import annotations

from pyhad.common.config.model import VrrpInstance
from pyhad.vrrp_proc.core.effects import Effect, Remark
from pyhad.vrrp_proc.core.events import AdvertisementReceived

_AT_MOST = 16  # senders can be forged, so what is remembered about them is bounded


class Remarks:
    """Remembers which remark was made about whom."""

    def __init__(self) -> None:
        self._made: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """The state changed: everything may be said again."""
        self._made.clear()

    def once(self, token: str, about: AdvertisementReceived, *, warning: bool, **fields: int) -> list[Effect]:
        """A remark on the sender of `about`, or nothing if it was made already."""
        key = (token, about.source)
        if key in self._made or len(self._made) >= _AT_MOST:
            return []
        self._made.add(key)
        return [Remark(event=token, fields={"source": about.source, **fields}, warning=warning)]

    def on_differences(self, event: AdvertisementReceived, config: VrrpInstance) -> list[Effect]:
        """An advertisement that counts, though it is not what we would send (PKT-30, PKT-35)."""
        effects: list[Effect] = []
        if not event.addresses_match:
            effects += self.once("address_list_mismatch", event, warning=True)
        own_cs = config.advertisement_interval_cs
        if event.interval_cs != own_cs:
            heard_cs = event.interval_cs
            effects += self.once("interval_mismatch", event, warning=True, interval_cs=heard_cs, ours_cs=own_cs)
        return effects
