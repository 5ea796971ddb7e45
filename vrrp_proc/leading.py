"""What came of a virtual router's addresses, routes and rules, told to the log and back to its machine.

Orders nothing.
"""

from __future__ import annotations

import collections
import os

from pyhad.common.config.model import Path, VirtualAddress, VirtualRoute, VrrpInstance
from pyhad.common.log import FilteringBoundLogger
from pyhad.vrrp_proc.core.events import AddressesSettled, PathsSettled
from pyhad.vrrp_proc.kernel.addresses import Outcome
from pyhad.vrrp_proc.kernel.paths import PathOutcome, Refusal


class Leading:
    """Of one virtual router, or of the static items: `settled` waits to be handled by their machine."""

    def __init__(self, counters: collections.Counter[str]) -> None:
        self._counters = counters
        self._said: dict[Path, int] = {}
        """What was said of each refused one, so that a retry is silent."""
        self._said_of: dict[VirtualAddress, int] = {}
        self.settled: list[PathsSettled | AddressesSettled] = []

    def addresses_installed(
        self, log: FilteringBoundLogger, outcome: Outcome, *, mending: bool, is_waited_for: bool
    ) -> None:
        """After an installation: each refusal is a line, once. `is_waited_for`: some were refused before."""
        for address in outcome.done + outcome.already:
            self._said_of.pop(address, None)
        for address, number in outcome.failed:
            self._counters["address_errors"] += 1
            if self._said_of.get(address) != number:
                self._said_of[address] = number
                _say_address(log, "address_not_installed", address, number)
        if outcome.failed or mending or is_waited_for:
            added = tuple(address.place for address in outcome.done)
            present = tuple(address.place for address in outcome.already)
            refused = tuple(address.place for address, _ in outcome.failed)
            self.settled.append(AddressesSettled(added=added, present=present, refused=refused, mending=mending))

    def addresses_removed(self, log: FilteringBoundLogger, outcome: Outcome) -> None:
        """After a removal."""
        self._said_of.clear()
        for address, number in outcome.failed:
            self._counters["address_errors"] += 1
            _say_address(log, "address_not_removed", address, number)

    def installed(self, log: FilteringBoundLogger, outcome: PathOutcome, *, mending: bool) -> None:
        """After an installation: each refusal is a line, once."""
        for refusal in outcome.failed:
            if self._said.get(refusal.path) != refusal.errno:
                self._said[refusal.path] = refusal.errno
                self._say(log, refusal, "not_installed")
        for path in (*outcome.done, *outcome.already):
            self._said.pop(path, None)
        refused = tuple(refusal.path for refusal in outcome.failed)
        if outcome.done or outcome.already or refused:
            self.settled.append(
                PathsSettled(added=outcome.done, present=outcome.already, refused=refused, mending=mending)
            )

    def removed(self, log: FilteringBoundLogger, outcome: PathOutcome) -> None:
        """After a removal."""
        for refusal in outcome.failed:
            self._say(log, refusal, "not_removed")
        self._said.clear()

    def _say(self, log: FilteringBoundLogger, refusal: Refusal, what: str) -> None:
        kind = "route" if isinstance(refusal.path, VirtualRoute) else "rule"
        self._counters["path_errors"] += 1
        more = {"detail": refusal.detail, "remedy": refusal.remedy()}
        error = os.strerror(refusal.errno)
        said = {name: text for name, text in more.items() if text}
        log.error(f"{kind}_{what}", **{kind: refusal.path.text}, error=error, **said)


def _say_address(log: FilteringBoundLogger, event: str, address: VirtualAddress, number: int) -> None:
    log.error(event, address=address.address, device=address.interface, error=os.strerror(number))


def watched(config: VrrpInstance) -> tuple[bool, ...]:
    """Which routes and rules are tracked: two configurations may be equal but for that."""
    return tuple(path.tracked for path in config.routes + config.rules)
