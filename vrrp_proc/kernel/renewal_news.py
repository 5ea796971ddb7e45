"""What the kernel tells of our own renewals of leases is not read: a filter for the socket that hears of addresses.

With thousands of addresses each renewal would come back as a message to be parsed, which costs more than the renewal
itself. What the filter drops is a notification that answers a renewal (by the port of the socket that ordered it, and
the sequence number that renewals alone have) of an address that was there before: one that the renewal brought back,
because somebody had removed it, is news. The kernel tells them apart by two time stamps, of creation and of the last
change (IFA_CACHEINFO). Notifications about IPv6 addresses name nobody and all pass.
"""

from __future__ import annotations

import socket

from pyhad.common.packet_filter import assemble
from pyhad.vrrp_proc.kernel.netlink import HEAD, LIFETIME_SEQUENCE, RTM_NEWADDR

_LOAD_HALF, _LOAD_WORD, _LOAD_WORD_AT_X = 0x28, 0x20, 0x40
_LOAD_NUMBER, _X_IS_NUMBER, _X_IS_A = 0x00, 0x01, 0x07
_STORE, _X_IS_STORED = 0x02, 0x61
_IF_EQUAL, _IF_EQUAL_X = 0x15, 0x1D
_RETURN = 0x06
_ATTRIBUTE_OFFSET = 0xFFFFF00C  # SKF_AD_OFF + SKF_AD_NLATTR: A = where attribute X stands from byte A on, 0: nowhere
_FIRST_ATTRIBUTE = HEAD.size + 8  # behind struct ifaddrmsg
_IFA_CACHEINFO = 6
_CREATED, _CHANGED = 12, 16  # from the head of the attribute on


def filter_renewals(port: int) -> bytes:
    """Classic BPF: everything but what renewals by the netlink port `port` changed.

    Numbers in netlink are of this machine's order, and the filter reads them as if they came from the network.
    """
    program = [
        (_LOAD_HALF, 0, 0, 4), (_IF_EQUAL, 0, 14, socket.htons(RTM_NEWADDR)),
        (_LOAD_WORD, 0, 0, 8), (_IF_EQUAL, 0, 12, socket.htonl(LIFETIME_SEQUENCE)),
        (_LOAD_WORD, 0, 0, 12), (_IF_EQUAL, 0, 10, socket.htonl(port)),
        (_LOAD_NUMBER, 0, 0, _FIRST_ATTRIBUTE), (_X_IS_NUMBER, 0, 0, _IFA_CACHEINFO),
        (_LOAD_WORD, 0, 0, _ATTRIBUTE_OFFSET), (_IF_EQUAL, 6, 0, 0),
        (_X_IS_A, 0, 0, 0), (_LOAD_WORD_AT_X, 0, 0, _CREATED), (_STORE, 0, 0, 0), (_LOAD_WORD_AT_X, 0, 0, _CHANGED),
        (_X_IS_STORED, 0, 0, 0), (_IF_EQUAL_X, 0, 1, 0),
        (_RETURN, 0, 0, 0xFFFFFFFF), (_RETURN, 0, 0, 0),
    ]  # fmt: skip
    return assemble(program)
