"""Upgrades that operators ask for: who may, who waits for the outcome of the trial. Pure; tries nothing."""

from __future__ import annotations

from pyhad.common.messages import VERSION, RequestRefused, UpgradeReply, UpgradeRequest
from pyhad.control_proc.core.effects import Answer

WAITING_MAX = 64


class UpgradeDesk:
    """All who wait hear of the same trial."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def asked(self, client: bytes, uid: int, request: UpgradeRequest) -> list[Answer]:
        """An operator wants the installed program to run. Without an answer the parent is to be asked."""
        refusal = _refusal(request, uid, len(self._waiting))
        if refusal:
            return [Answer(client=client, reply=RequestRefused(reason=refusal))]
        self._waiting.append(client)
        return []

    def tried(self, ok: bool, report: str) -> list[Answer]:
        """The parent tried it."""
        waiting, self._waiting = self._waiting, []
        return [Answer(client=client, reply=UpgradeReply(ok=ok, report=report)) for client in waiting]


def _refusal(request: UpgradeRequest, uid: int, waiting: int) -> str:
    if request.version != VERSION:
        return f"this daemon speaks version {VERSION} of the protocol, the question came in version {request.version}"
    if uid != 0:
        return f"only root may upgrade, and the question came from uid {uid}"
    return "too many operators are waiting already: ask again later" if waiting >= WAITING_MAX else ""
