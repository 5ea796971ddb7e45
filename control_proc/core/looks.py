"""Who asked what is not as it should be in the table: the IPVS owner reads it and answers. Pure; knows no server."""

from __future__ import annotations

from pyhad.common.messages import VERSION, AtWork, RequestRefused, TableLook, TableLookReply
from pyhad.control_proc.core.effects import Answer, AskLook

ANSWER_WITHIN_NS = 5_000_000_000
"""Since the owner last said that it is at work."""
WAITING_MAX = 16
_LATE = "the IPVS owner did not answer in time"


class LookDesk:
    """Call `expire` at `next_deadline_ns()`."""

    def __init__(self) -> None:
        self._ticket = 0
        self._waiting: dict[int, tuple[bytes, int]] = {}

    def next_deadline_ns(self) -> int | None:
        """When the oldest question has waited long enough."""
        return min((until_ns for _, until_ns in self._waiting.values()), default=None)

    def asked(self, client: bytes, version: int, owner: bytes | None, now_ns: int) -> list[Answer | AskLook]:
        """An operator asks. `owner` is where the IPVS owner is on the bus, None when it never spoke."""
        if version != VERSION:
            reason = f"this daemon speaks version {VERSION} of the protocol, the question came in version {version}"
            return [Answer(client=client, reply=RequestRefused(reason=reason))]
        if len(self._waiting) >= WAITING_MAX:
            reason = "too many operators are waiting already: ask again later"
            return [Answer(client=client, reply=RequestRefused(reason=reason))]
        if owner is None:
            return [_reply(client, "the IPVS owner does not run, or has not spoken yet", None, now_ns)]
        self._ticket -= 1  # apart from the tickets of the status
        self._waiting[self._ticket] = client, now_ns + ANSWER_WITHIN_NS
        return [AskLook(sender=owner, ticket=self._ticket)]

    def answered(self, look: TableLook, now_ns: int) -> list[Answer | AskLook]:
        """The IPVS owner spoke."""
        client, _ = self._waiting.pop(look.ticket, (b"", 0))
        return [_reply(client, "", look, now_ns)] if client else []

    def at_work(self, ticket: int, now_ns: int) -> list[Answer | AskLook]:
        """The IPVS owner is at it."""
        client, _ = self._waiting.get(ticket, (b"", 0))
        if not client:
            return []
        self._waiting[ticket] = client, now_ns + ANSWER_WITHIN_NS
        return [Answer(client=client, reply=AtWork())]

    def unsent(self, ticket: int, now_ns: int) -> list[Answer | AskLook]:
        """The IPVS owner could not be asked."""
        client, _ = self._waiting.pop(ticket, (b"", 0))
        return [_reply(client, "the IPVS owner cannot be reached", None, now_ns)] if client else []

    def expire(self, now_ns: int) -> list[Answer | AskLook]:
        """Who waited too long is told so."""
        late = [ticket for ticket, (_, until_ns) in self._waiting.items() if now_ns >= until_ns]
        return [_reply(self._waiting.pop(ticket)[0], _LATE, None, now_ns) for ticket in late]


def _reply(client: bytes, problem: str, look: TableLook | None, now_ns: int) -> Answer:
    return Answer(client=client, reply=TableLookReply(problem=problem, look=look, taken_ns=now_ns))
