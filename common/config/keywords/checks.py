"""The keywords of the checkers of a real server; what they share stands once. Data only."""

from __future__ import annotations

from pyhad.common.config.arguments import (
    ADDRESS,
    BOOL,
    GROUP,
    INT_MAX,
    INTERFACE,
    MD5,
    NAME,
    QUOTED,
    REGEX,
    SCRIPT,
    STATUS,
    TEXT,
    TIMER_MAX,
    UINT_MAX,
    USER,
    choice,
    many,
    number,
    optional,
    seconds,
    text,
    whole_seconds,
)
from pyhad.common.config.keyword import NOTHING, NOW, Sheet, block, flag, word

R = "virtual_server.real_server"
_FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]"
"""RFC 9110 5.6.2."""

CONNECTING = (
    word("connect_ip", ADDRESS, "real server address", "Target address", NOW),
    word("connect_port", number(1, 65535), "real server port", "Target port", NOW),
    word("bindto", ADDRESS, "any", "Local address", NOW),
    word("bind_port", number(1, 65535), "any", "Local port", NOW),
    word("bind_if", INTERFACE, "any", "Device to bind to", NOW),
    word(
        "connect_timeout",
        seconds("0.000001", TIMER_MAX),
        "real server setting (5)",
        "Timeout of each network step",
        NOW,
    ),
    word("fwmark", number(0, UINT_MAX), "0", "SO_MARK of the probe", NOW),
)

SCHEDULED = (
    word(
        "retry",
        number(0, UINT_MAX),
        "real server, else 1 (DNS 3, MISC 0)",
        "Failures tolerated before the checker fails",
        NOW,
    ),
    word(
        "delay_before_retry",
        seconds("0"),
        "real server, else 1 (HTTP/SSL 3, DNS delay_loop)",
        "Wait between retries",
        NOW,
    ),
    word("warmup", seconds("0"), "real server, else delay_loop", "Random extra wait before the first probe", NOW),
    word("delay_loop", seconds("0.000001"), "real server setting (60)", "Time between probes", NOW),
    word("alpha", BOOL, "real server setting", "Start failed until the first success", NOW),
    word("log_all_failures", BOOL, "off", "Log every failed probe", NOW),
    word(
        "pyhad_max_latency",
        seconds("0.000001", TIMER_MAX),
        "real server setting (none)",
        "A good answer that takes longer is a failure",
        NOW,
    ),
    word(
        "pyhad_latency_warning",
        seconds("0.000001", TIMER_MAX),
        "real server setting (none)",
        "A good answer that takes longer is a problem in the status, and changes nothing else",
        NOW,
    ),
)

HTTP = (
    word("nb_get_retry", number(0, UINT_MAX), "-", "Old spelling of retry", NOW, alias_of="retry", deprecated="retry"),
    word("virtualhost", NAME, "real/virtual server setting", "Host header for all urls", NOW),
    word(
        "http_protocol",
        choice("1.0", "1.0c", "1.0C", "1.1"),
        "1.0",
        "Request version; 1.0C and 1.1 add Connection: close",
        NOW,
    ),
    word("enable_sni", BOOL, "off", "Send SNI (SSL_GET)", NOW),
    word("sni_name", optional(NAME), "virtualhost", "Name used for SNI", NOW),
    word("fast_recovery", BOOL, "off", "After recovery check the remaining urls without waiting", NOW),
    block("url", (), "One page to fetch", NOW),
    word(
        "pyhad_http2",
        BOOL,
        "off",
        "Ask over HTTP/2: by ALPN in SSL_GET, by prior knowledge in HTTP_GET; http_protocol says nothing then",
        NOW,
    ),
)

CERTIFICATE = (
    word(
        "pyhad_certificate_warning",
        number(0, 36500),
        "0",
        "The server's certificate ends within so many days: a problem in the status, nothing else; 0: never",
        NOW,
    ),
)

SSL_ONLY = (word("tls_compliant", BOOL, "off", "Treat an unexpected EOF without close_notify as an error", NOW),)

URL = (
    word("path", TEXT, "required", "Request path", NOW),
    word("digest", MD5, "none", "Expected MD5 of the body (see genhash)", NOW),
    word("status_code", STATUS, "200-299", "Accepted status codes", NOW),
    word("virtualhost", NAME, "checker setting", "Host header for this url", NOW),
    word("regex", REGEX, "none", "Body must match", NOW),
    flag("regex_no_match", "Body must not match", NOW),
    word("regex_options", many(TEXT), "none", "PCRE2 options", NOW),
    word("regex_min_offset", number(0), "0", "First body offset searched", NOW),
    word("regex_max_offset", number(0), "none", "Last offset at which a match may start", NOW),
    word(
        "regex_stack",
        (number(0), number(0)),
        "PCRE2 default",
        "PCRE2 JIT stack sizes (here patterns are not JIT-compiled)",
        NOTHING,
    ),
    word(
        "pyhad_method",
        text("METHOD", _FIELD_NAME + "{1,32}", "method of HTTP, as GET or POST: letters, digits and '-', at most 32"),
        "GET",
        "Request method",
        NOW,
    ),
    word(
        "pyhad_header",
        (
            text("NAME", _FIELD_NAME + "{1,64}", "name of a field: letters, digits and '-', at most 64, no colon"),
            QUOTED,
        ),
        "none",
        "One more field of the request; may be repeated",
        NOW,
        secret=True,
    ),
    word("pyhad_body", QUOTED, "none", "Body of the request", NOW),
)

SSL_URL_ONLY = (word("tls_compliant", BOOL, "checker setting", "As above for one url", NOW),)

SMTP = (
    word("helo_name", NAME, "smtpchecker.keepalived.org", "Text after HELO", NOW),
    block("host", (), "Additional target; each becomes its own checker", NOW),
)

DNS = (
    word("type", text("TYPE"), "SOA", "Record type asked for", NOW),
    word("name", NAME, ". (root)", "Name asked for", NOW),
)

MISC = (
    word("misc_path", SCRIPT, "required", "Command to run", NOW),
    word("misc_timeout", whole_seconds(0, 4294), "delay_loop of the service", "Time limit of a run", NOW),
    flag("misc_dynamic", "Exit 2..255 sets weight to status-2", NOW),
    word("user", (USER, optional(GROUP)), "default script user", "Account to run as", NOW),
)

UDP = (
    word("payload", many(text("HEX")), "random data", "Datagram to send", NOW),
    word("require_reply", optional(many(text("HEX"))), "off", "A reply is needed, optionally matching", NOW),
    word("min_reply_length", number(0, 65535), "0", "Shortest reply", NOW),
    word("max_reply_length", number(0, 65535), "255", "Longest reply", NOW),
)

FILE = (
    word("track_file", NAME, "required", "File to follow", NOW),
    word(
        "weight",
        number(-INT_MAX, INT_MAX),
        "weight of the file",
        "Factor for the value; 0 = non-zero means down",
        NOW,
        options="OPTIONS.weight",
    ),
)

BFD = (
    word("name", NAME, "required", "Session to follow", NOW),
    word("alpha", BOOL, "real server setting", "Start failed until the first success", NOW),
)

GRPC = (
    word("service", NAME, "the server as a whole", "Service whose health is asked", NOW),
    word("virtualhost", NAME, "real/virtual server setting", "Authority of the call", NOW),
    word("tls", BOOL, "off", "Through TLS, with the SSL block's certificate", NOW),
    word("enable_sni", BOOL, "off", "Send SNI", NOW),
    word("sni_name", optional(NAME), "virtualhost", "Name used for SNI", NOW),
)

SHEETS = (
    Sheet(
        (
            f"{R}.TCP_CHECK",
            f"{R}.HTTP_GET",
            f"{R}.SSL_GET",
            f"{R}.SMTP_CHECK",
            f"{R}.SMTP_CHECK.host",
            f"{R}.DNS_CHECK",
            f"{R}.PING_CHECK",
            f"{R}.UDP_CHECK",
            f"{R}.PYHAD_GRPC_CHECK",
        ),
        "checkers",
        CONNECTING,
    ),
    Sheet(
        (
            f"{R}.TCP_CHECK",
            f"{R}.HTTP_GET",
            f"{R}.SSL_GET",
            f"{R}.SMTP_CHECK",
            f"{R}.SMTP_CHECK.host",
            f"{R}.DNS_CHECK",
            f"{R}.MISC_CHECK",
            f"{R}.PING_CHECK",
            f"{R}.UDP_CHECK",
            f"{R}.PYHAD_GRPC_CHECK",
        ),
        "checkers",
        SCHEDULED,
    ),
    Sheet(
        (
            f"{R}.HTTP_GET",
            f"{R}.SSL_GET",
        ),
        "checkers",
        HTTP,
    ),
    Sheet((f"{R}.SSL_GET",), "checkers", SSL_ONLY),
    Sheet((f"{R}.PYHAD_GRPC_CHECK",), "checkers", GRPC),
    Sheet((f"{R}.SSL_GET", f"{R}.PYHAD_GRPC_CHECK"), "checkers", CERTIFICATE),
    Sheet(
        (
            f"{R}.HTTP_GET.url",
            f"{R}.SSL_GET.url",
        ),
        "checkers",
        URL,
    ),
    Sheet((f"{R}.SSL_GET.url",), "checkers", SSL_URL_ONLY),
    Sheet((f"{R}.SMTP_CHECK",), "checkers", SMTP),
    Sheet((f"{R}.DNS_CHECK",), "checkers", DNS),
    Sheet((f"{R}.MISC_CHECK",), "checkers", MISC),
    Sheet((f"{R}.UDP_CHECK",), "checkers", UDP),
    Sheet((f"{R}.FILE_CHECK",), "checkers", FILE),
    Sheet((f"{R}.BFD_CHECK",), "checkers", BFD),
)
