"""Weights that operators set: who may, who is asked, who waits for the answer. Pure; knows no server.

The IPVS owner decides and remembers; nothing is kept here but the questions under way.
"""

from __future__ import annotations

from pyhad.common.messages import VERSION, RequestRefused, WeightReply, WeightRequest, WeightWanted
from pyhad.control_proc.core.effects import Answer, AskWeight

ANSWER_WITHIN_NS = 5_000_000_000
WAITING_MAX = 64


class WeightDesk:
    """Call `expire` at `next_deadline_ns()`."""

    def __init__(self) -> None:
        self._ticket = 0
        self._waiting: dict[int, tuple[bytes, int]] = {}

    def next_deadline_ns(self) -> int | None:
        """When the oldest question has waited long enough."""
        return min((until_ns for _, until_ns in self._waiting.values()), default=None)

    def asked(
        self, client: bytes, uid: int, request: WeightRequest, owner: bytes | None, now_ns: int
    ) -> list[Answer | AskWeight]:
        """An operator wants a weight. `owner` is where the IPVS owner is on the bus, None when it never spoke."""
        refusal = _refusal(request, uid, owner is None, len(self._waiting))
        if refusal or owner is None:
            return [Answer(client=client, reply=RequestRefused(reason=refusal))]
        self._ticket += 1
        self._waiting[self._ticket] = (client, now_ns + ANSWER_WITHIN_NS)
        wanted = WeightWanted(
            ticket=self._ticket,
            service=request.service,
            server=request.server,
            weight=request.weight,
            deadline_ns=max(0, request.deadline_ns),
            for_ns=max(0, request.for_ns),
        )
        return [AskWeight(sender=owner, wanted=wanted)]

    def answered(self, ticket: int, problem: str) -> list[Answer | AskWeight]:
        """The IPVS owner spoke."""
        client, _ = self._waiting.pop(ticket, (None, 0))
        return [] if client is None else [Answer(client=client, reply=WeightReply(problem=problem))]

    def expire(self, now_ns: int) -> list[Answer | AskWeight]:
        """Who waited too long is told so: the weight may be set or not."""
        late = [ticket for ticket, (_, until_ns) in self._waiting.items() if now_ns >= until_ns]
        text = "the IPVS owner did not answer in time: pyhadctl status shows what became of it"
        return [answer for ticket in late for answer in self.answered(ticket, text)]


def _refusal(request: WeightRequest, uid: int, is_ownerless: bool, waiting: int) -> str:
    if request.version != VERSION:
        return f"this daemon speaks version {VERSION} of the protocol, the question came in version {request.version}"
    if uid != 0:
        return f"only root may change weights, and the question came from uid {uid}"
    if is_ownerless:
        return "the IPVS owner does not run, or has not spoken yet"
    return "too many operators are waiting already: ask again later" if waiting >= WAITING_MAX else ""
