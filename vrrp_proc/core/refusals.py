"""Why an advertisement is dropped: one error per statistic. Names and counters only, no check."""

from __future__ import annotations

from typing import ClassVar

from pyhad.common.errors import PacketError


class AdvertisementRefused(PacketError):
    """Drop this packet. `counter` is the name of the statistic to raise (Keepalived's where it has one)."""

    counter: ClassVar[str] = "packet_len_err"


class PacketLengthError(AdvertisementRefused):
    """Too short, or its length is not the one its address count asks for (PKT-23)."""


class OwnPacketError(AdvertisementRefused):
    """Our own advertisement came back to us (PKT-38): nothing is wrong, and it must not be listened to."""

    counter = "own_packet"


class TtlError(AdvertisementRefused):
    """TTL or hop limit is not 255: it was forwarded, or forged from afar (PKT-24)."""

    counter = "ip_ttl_err"


class VersionError(AdvertisementRefused):
    """Another VRRP version than ours (PKT-25)."""

    counter = "version_err"


class AuthenticationTypeUnknown(AdvertisementRefused):
    """Version 2: an authentication type that does not exist (PKT-27)."""

    counter = "invalid_authtype"


class AuthenticationTypeMismatch(AdvertisementRefused):
    """The peer authenticates and we do not: version 2 type other than none, or an AH header (PKT-22, PKT-27)."""

    counter = "authtype_mismatch"


class IntervalError(AdvertisementRefused):
    """Version 2: not our interval (PKT-28). Version 3: an interval of 0, which would mean no patience at all."""

    counter = "advert_interval_err"


class MessageTypeError(AdvertisementRefused):
    """Not an advertisement: the only type there is (PKT-29)."""

    counter = "invalid_type_rcvd"


class ChecksumError(AdvertisementRefused):
    """The checksum fits in no form (PKT-31)."""

    counter = "checksum_err"


class DestinationError(AdvertisementRefused):
    """Sent to another address than this virtual router listens on: its group, or its own by unicast (PKT-32)."""

    counter = "destination_err"


class AuthenticationFailure(AdvertisementRefused):
    """Authenticated as we do, with another secret (PKT-27)."""

    counter = "auth_failure"


class SignatureMissing(AdvertisementRefused):
    """`auth_hmac`: not signed, and only signed ones count."""

    counter = "hmac_unsigned"


class SignatureKeyUnknown(AdvertisementRefused):
    """`auth_hmac`: signed with a key that we do not have."""

    counter = "hmac_unknown_key"


class SignatureStale(AdvertisementRefused):
    """`auth_hmac`: outside the time window (AUTH-6)."""

    counter = "hmac_stale"


class SignatureRepeated(AdvertisementRefused):
    """`auth_hmac`: sent before (AUTH-7)."""

    counter = "hmac_replayed"


class NoAddressError(AdvertisementRefused):
    """Version 3 without any address, where we have some (RFC 9568 5.2.5)."""

    counter = "addr_list_err"


class UnknownPeerError(AdvertisementRefused):
    """Sent by nobody of `unicast_peer`, where only those are listened to (PKT-36)."""

    counter = "unknown_peer"


COUNTERS: tuple[str, ...] = tuple(
    error.counter
    for error in (
        PacketLengthError, OwnPacketError, TtlError, VersionError, AuthenticationTypeUnknown,
        AuthenticationTypeMismatch, AuthenticationFailure, IntervalError, MessageTypeError, ChecksumError,
        DestinationError, NoAddressError, UnknownPeerError, SignatureMissing, SignatureKeyUnknown, SignatureStale,
        SignatureRepeated,
    )
)  # fmt: skip
"""Every name that `AdvertisementRefused.counter` can have."""
