"""Operators who confirm a reload: who may, who waits for the parent's word. Pure; the deadline is the parent's."""

from __future__ import annotations

from pyhad.common.confirmation import ConfirmationState
from pyhad.common.messages import VERSION, ReloadConfirmRequest, ReloadReply, RequestRefused
from pyhad.control_proc.core.effects import Answer

WAITING_MAX = 64
NOTHING = "no reload waits for its confirmation"
TOO_LATE = "too late: the time was up, and the configuration before is on its way back"


class ConfirmDesk:
    """All who wait hear the same word."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def asked(self, client: bytes, uid: int, request: ReloadConfirmRequest) -> list[Answer]:
        """An operator confirms. Without an answer the parent is to be told."""
        refusal = _refusal(request, uid, len(self._waiting))
        if refusal:
            return [Answer(client=client, reply=RequestRefused(reason=refusal))]
        self._waiting.append(client)
        return []

    def told(self, state: ConfirmationState) -> list[Answer]:
        """The parent said how it stands. That it still waits is no answer."""
        match state:
            case ConfirmationState.WAITING:
                return []
            case ConfirmationState.CONFIRMED:
                return self.over(True, "")
            case ConfirmationState.GOING_BACK:
                return self.over(False, TOO_LATE)
            case ConfirmationState.NONE:
                return self.over(False, NOTHING)

    def over(self, ok: bool, report: str) -> list[Answer]:
        """Everybody who waits gets this answer."""
        waiting, self._waiting = self._waiting, []
        return [Answer(client=client, reply=ReloadReply(ok=ok, report=report)) for client in waiting]


def _refusal(request: ReloadConfirmRequest, uid: int, waiting: int) -> str:
    if request.version != VERSION:
        return f"this daemon speaks version {VERSION} of the protocol, the question came in version {request.version}"
    if uid != 0:
        return f"only root may confirm a reload, and the question came from uid {uid}"
    return "too many operators are waiting already: ask again later" if waiting >= WAITING_MAX else ""
