"""Tells scripts and FIFOs what became of virtual routers and groups. Decides nothing about them, waits for nobody.

Programs go to the script helper under the teller's key, so that each one's changes are told in their order.
"""

from __future__ import annotations

import collections
import time

from pyhad.common.config.model import VrrpDocument, VrrpInstance
from pyhad.common.config.model.tracking import NOBODY, Notify, SyncGroup
from pyhad.common.log import FilteringBoundLogger
from pyhad.common.scripts.client import Scripts
from pyhad.common.scripts.fifo_writer import FifoWriter
from pyhad.common.scripts.orders import Mail, Tell
from pyhad.vrrp_proc.core import notices
from pyhad.vrrp_proc.core.mail_words import mail_of
from pyhad.vrrp_proc.core.notices import Notice, Told

DEADLINE_NS = 300_000_000_000
"""A notification that takes longer is ended: those after it have waited for long enough."""


class Notifier:
    """One per process."""

    def __init__(self, scripts: Scripts, logger: FilteringBoundLogger, counters: collections.Counter[str]) -> None:
        self._scripts = scripts
        self._fifos = FifoWriter(scripts, logger, counters)
        self._sends_mail = False
        self._mails_faults = True
        self._router_id = ""
        self._mailed: dict[str, Told] = {}
        """The state of each router and group that was mailed last (MAIL-7)."""

    # -------------------------------------------------------------------------------------------- telling

    def state(self, config: VrrpInstance, state: Told, priority: int) -> None:
        """A virtual router's state."""
        self._tell(f"INSTANCE {config.name}", notices.of_state("INSTANCE", config.name, state, priority, config.notify))
        self._mail("INSTANCE", config.name, state, config.notify)

    def group(self, group: SyncGroup, state: Told) -> None:
        """A sync group's (GRP-7: its priority is 0)."""
        self._tell(f"GROUP {group.name}", notices.of_state("GROUP", group.name, state, 0, group.notify))
        self._mail("GROUP", group.name, state, group.notify)

    def priority(self, config: VrrpInstance, priority: int, *, is_master: bool) -> None:
        """A router's effective priority, for who wants to know."""
        if config.notify.priority_changes:
            self._tell("", notices.of_priority(config.name, priority, is_master=is_master))

    def lower_priority(self, config: VrrpInstance, priority: int) -> None:
        """A master heard somebody lesser."""
        key = f"INSTANCE {config.name} lower"
        self._tell(key, notices.of_lower_priority(config.name, priority, config.notify))

    def repeat(self, config: VrrpInstance, state: Told, priority: int) -> None:
        """`fifo_write_vrrp_states_on_reload`: to the FIFOs alone."""
        self._fifos.write(notices.of_state("INSTANCE", config.name, state, priority, NOBODY).line.encode())

    def _mail(self, kind: str, name: str, state: Told, notify: Notify) -> None:
        """MAIL-7, MAIL-9."""
        key = f"{kind} {name}"
        if not (self._sends_mail and notify.mails) or self._mailed.get(key) is state:
            return
        if state is Told.FAULT and not self._mails_faults:
            return
        self._mailed[key] = state
        subject, body = mail_of(self._router_id, kind, name, state)
        self._scripts.send(Mail(subject=subject, body=body, at_s=int(time.time())))

    def _tell(self, key: str, notice: Notice) -> None:
        self._fifos.write(notice.line.encode())
        if notice.programs:
            self._scripts.send(Tell(key=key, programs=notice.programs, timeout_ns=DEADLINE_NS))

    # --------------------------------------------------------------------------------------------- FIFOs

    def configure(self, document: VrrpDocument) -> None:
        """Open and close FIFOs as the document has them, and know whom to write to."""
        self._sends_mail, self._mails_faults = document.mail is not None, document.mails_faults
        self._router_id = document.router_id
        self._fifos.configure(document.fifos)

    def close(self) -> None:
        """Orderly end (NTF-24, NTF-25)."""
        self._fifos.close()
