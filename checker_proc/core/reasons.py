"""Why a probe ended as it did: fixed tokens for verdicts, logs and `pyhadctl status`. A closed set."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """One token per cause. The first group are states of a verdict, the rest outcomes of a probe."""

    NO_CHECKS = "no_checks"
    NOT_CHECKED_YET = "not_checked_yet"
    CHECK_SUCCEEDED = "check_succeeded"

    CONNECT_REFUSED = "connect_refused"
    TIMEOUT = "timeout"
    NO_ROUTE = "no_route"
    HOST_UNREACHABLE = "host_unreachable"
    CONNECTION_RESET = "connection_reset"
    NOT_PERMITTED = "not_permitted"
    CONNECT_FAILED = "connect_failed"

    HTTP_NO_DATA = "http_no_data"
    HTTP_BAD_STATUS_LINE = "http_bad_status_line"
    HTTP_BAD_HEADER = "http_bad_header"
    HTTP_HEADERS_TOO_LONG = "http_headers_too_long"
    HTTP_BAD_CHUNK = "http_bad_chunk"
    HTTP_BODY_TOO_LONG = "http_body_too_long"
    HTTP_INCOMPLETE = "http_incomplete"
    HTTP_STATUS = "http_status"
    HTTP_DIGEST = "http_digest"
    HTTP_REGEX = "http_regex"
    HTTP_REGEX_UNDECIDED = "http_regex_undecided"

    TLS_HANDSHAKE = "tls_handshake"
    TLS_ALERT = "tls_alert"
    TLS_BROKEN = "tls_broken"
    TLS_TRUNCATED = "tls_truncated"

    SMTP_GREETING = "smtp_greeting"
    SMTP_HELO = "smtp_helo"
    SMTP_BAD_REPLY = "smtp_bad_reply"
    SMTP_REPLY_TOO_LONG = "smtp_reply_too_long"
    SMTP_INCOMPLETE = "smtp_incomplete"

    DNS_BAD_REPLY = "dns_bad_reply"
    DNS_OTHER_ID = "dns_other_id"
    DNS_RCODE = "dns_rcode"
    UDP_REPLY_LENGTH = "udp_reply_length"
    UDP_REPLY_CONTENT = "udp_reply_content"

    FILE_SAYS_DOWN = "file_says_down"

    BFD_DOWN = "bfd_down"

    EXIT_STATUS = "exit_status"
    KILLED_BY_SIGNAL = "killed_by_signal"
    CANNOT_RUN = "cannot_run"
    PREVIOUS_RUN_LINGERS = "previous_run_lingers"

    # We could not ask: says nothing about the server and changes no verdict (see ProbeImpossible).
    NO_RESOURCES = "no_resources"
    BIND_FAILED = "bind_failed"
    BIND_INTERFACE_FAILED = "bind_interface_failed"
    FWMARK_NOT_PERMITTED = "fwmark_not_permitted"
    NO_ICMP_SOCKET = "no_icmp_socket"
    BAD_TARGET = "bad_target"
    FILE_UNREADABLE = "file_unreadable"
    BFD_NOT_HEARD = "bfd_not_heard"
    NO_SCRIPT_HELPER = "no_script_helper"

    # Records in the black box hold the place of a reason here, and outlive an upgrade: what is new comes last.
    HTTP2_NOT_OFFERED = "http2_not_offered"
    HTTP2_NOT_SPOKEN = "http2_not_spoken"
    HTTP2_BROKEN = "http2_broken"
    HTTP2_FLOOD = "http2_flood"
    HTTP2_RESET = "http2_reset"
    GRPC_NOT_SERVING = "grpc_not_serving"
    GRPC_SERVICE_UNKNOWN = "grpc_service_unknown"
    GRPC_NO_HEALTH_SERVICE = "grpc_no_health_service"
    GRPC_STATUS = "grpc_status"
    GRPC_BAD_REPLY = "grpc_bad_reply"
    TOO_SLOW = "too_slow"
    NAME_NOT_RESOLVED = "name_not_resolved"
