"""Texts on order: keepalived's dumps and metrics, and where each goes. Asks nobody; the desk does that first."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Generator

from pyhad.common import lifeline
from pyhad.common.config.model import ControlDocument
from pyhad.common.messages import StatusReply, TextForm
from pyhad.control_proc.core import keepalived_json, keepalived_text, metrics
from pyhad.control_proc.core.sight import Sight

Texts = dict[str, str]
Deliver = Callable[[Texts], None]
CLEAR = "clear"
"""The dump of statistics after which they are counted from nothing (SIG-6)."""


class TextDesk:
    """`render` makes the texts of one form; an order made by `take` is delivered once."""

    def __init__(self) -> None:
        self._orders: dict[int, Deliver] = {}
        self._last = 0
        self._cleared: dict[str, dict[str, int]] = {}

    def take(self, deliver: Deliver) -> int:
        """A number for this order, never 0."""
        self._last += 1
        self._orders[self._last] = deliver
        return self._last

    def deliver(self, order: int, texts: Texts) -> None:
        """Hand over what was ordered."""
        self._orders.pop(order)(texts)

    def take_dump(self, name: str, fd: int, routers: Callable[[], StatusReply]) -> tuple[TextForm, int] | None:
        """The order of a signal: (form, number); None, and `fd` closed, when there is no such dump."""
        end = socket.socket(fileno=fd)
        form = {CLEAR: TextForm.STATS}.get(name) or (TextForm(name) if name in list(TextForm) else None)
        if form is None:
            end.close()
            return None

        def deliver(texts: Texts) -> None:
            for part, text in texts.items():
                memfd = lifeline.write_memfd("pyhad_dump", text.encode("utf-8", "replace"))
                lifeline.say(end, part.encode() or lifeline.MAIN, memfd)
                os.close(memfd)
            end.close()
            if name == CLEAR:
                self._clear(routers())

        return form, self.take(deliver)

    def render(self, form: TextForm, document: ControlDocument, status: StatusReply) -> Generator[None, None, Texts]:
        """What there is to say in that form, by the part of the file's name; in portions.

        Raises `WireError` when a process sent what cannot be read.
        """
        offset_ns = time.time_ns() - time.monotonic_ns()
        sight = Sight(document=document, status=status, wall_offset_ns=offset_ns, cleared=self._cleared)
        match form:
            case TextForm.JSON:
                return _unless_empty(keepalived_json.render(sight))
            case TextForm.STATS:
                return _unless_empty(keepalived_text.statistics(sight))
            case TextForm.DATA:
                return keepalived_text.data(sight)
            case TextForm.METRICS:
                return {"": (yield from metrics.render(sight))}

    def _clear(self, status: StatusReply) -> None:
        routers = status.vrrp.routers if status.vrrp else ()
        self._cleared = {router.name: dict(router.counters) for router in routers}


def _unless_empty(text: str) -> Texts:
    return {"": text} if text else {}
