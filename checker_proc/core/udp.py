"""What a UDP_CHECK wants of a reply (CHK-80). Pure."""

from __future__ import annotations

from pyhad.checker_proc.core.reasons import Reason
from pyhad.common.config.model import UdpCheck


def judge_reply(check: UdpCheck, data: bytes) -> Reason | None:
    """None when the reply will do. Length and content count only where there is a pattern.

    As far as both reach, reply and pattern must agree in the bits of the mask.
    """
    if not check.pattern:
        return None
    if not check.min_reply <= len(data) <= check.max_reply:
        return Reason.UDP_REPLY_LENGTH
    for got, wanted, mask in zip(data, check.pattern, check.mask, strict=False):
        if (got ^ wanted) & mask:
            return Reason.UDP_REPLY_CONTENT
    return None
