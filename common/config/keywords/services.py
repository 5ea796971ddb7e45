"""The keywords of `virtual_server`, `real_server` and `virtual_server_group`. Data only."""

from __future__ import annotations

from pyhad.common.config.arguments import (
    ADDRESS,
    BOOL,
    HOST,
    INT_MAX,
    MARK,
    NAME,
    NETMASK,
    SCRIPT,
    TEXT,
    TIMER_MAX,
    UINT_MAX,
    choice,
    number,
    optional,
    seconds,
    text,
)
from pyhad.common.config.keyword import NOTHING, NOW, Sheet, block, flag, option, word

SCHEDULER = choice("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos")
METHOD = choice("NAT", "DR", "TUN", fold=True)

GROUP_ENTRY = (
    option(
        "ADDRESS",
        (text("ADDRESS|RANGE"), optional(number(0, 65535))),
        "port 0 (forces persistence)",
        "One service address",
        NOW,
        placeholder=True,
        bare=True,
    ),
    option("RANGE-SHORT", TEXT, "-", "Address range", NOW, placeholder=True),
    option("RANGE-FULL", TEXT, "-", "Address range", NOW, placeholder=True),
    option("RANGE-CIDR", TEXT, "-", "All addresses of a prefix", NOW, placeholder=True),
    option(
        "fwmark", (MARK, optional(choice("inet", "inet6"))), "family from the virtual server", "One firewall mark", NOW
    ),
)

VIRTUAL_SERVER = (
    word("ip_family", choice("inet", "inet6"), "from addresses, else inet", "Family of a fwmark/group service", NOW),
    word("retry", number(1, UINT_MAX), "per checker", "Default retries of checkers", NOW, area="checkers"),
    word("delay_before_retry", seconds("0"), "per checker", "Default wait between retries", NOW, area="checkers"),
    word("warmup", seconds("0"), "delay_loop of the checker", "Default random start spread", NOW, area="checkers"),
    word("connect_timeout", seconds("0.000001", TIMER_MAX), "5", "Default connection timeout", NOW, area="checkers"),
    word("delay_loop", seconds("0.000001"), "60", "Default check interval", NOW, area="checkers"),
    word("pyhad_max_latency", seconds("0.000001", TIMER_MAX), "none", "Default of checkers", NOW, area="checkers"),
    word("pyhad_latency_warning", seconds("0.000001", TIMER_MAX), "none", "Default of checkers", NOW, area="checkers"),
    flag("inhibit_on_failure", "Default: set weight 0 instead of removing a failed real server", NOW),
    word("lb_algo", SCHEDULER, "wlc", "Scheduler", NOW),
    word("lvs_sched", SCHEDULER, "wlc", "Scheduler", NOW, alias_of="lb_algo"),
    flag("hashed", "Historic flag", NOTHING),
    flag("ops", "One-packet scheduling", NOW),
    flag("flag-1", "Scheduler flag 1", NOW),
    flag("flag-2", "Scheduler flag 2", NOW),
    flag("flag-3", "Scheduler flag 3", NOW),
    flag("sh-port", "Hash the port too", NOW),
    flag("sh-fallback", "Fall back when the server is down", NOW),
    flag("mh-port", "Hash the port too", NOW),
    flag("mh-fallback", "Fall back when the server is down", NOW),
    word("lb_kind", METHOD, "NAT (with a warning)", "Forwarding method", NOW, options="virtual_server.lb_kind"),
    word("lvs_method", METHOD, "-", "Forwarding method", NOW, alias_of="lb_kind", options="virtual_server.lb_kind"),
    word(
        "persistence_engine",
        NAME,
        "none",
        "IPVS persistence engine, e.g. sip; passed on only when persistence is on",
        NOW,
    ),
    word("persistence_timeout", optional(number(1, 2678400)), "off; bare = 360", "Persistence time", NOW),
    word(
        "persistence_granularity",
        NETMASK,
        "/32 or /128",
        "Client grouping mask (not applied to services of a group)",
        NOW,
    ),
    flag("pyhad_masquerade", "Real servers see the director's own address (nftables only)", NOW),
    word(
        "pyhad_slow_start",
        seconds("0"),
        "0",
        "How long a recovered server takes to its whole weight (needs weights above 1)",
        NOW,
        area="checkers",
    ),
    word(
        "pyhad_panic_threshold",
        number(0, 100),
        "0",
        "So many percent of the servers stay in the table although their checks fail",
        NOW,
        area="checkers",
    ),
    word("protocol", choice("TCP", "UDP", "SCTP", fold=True), "UDP (with a warning)", "Service protocol", NOW),
    flag("ha_suspend", "Suspend checks while the VIP is not on this box", NOW, area="checkers"),
    word("smtp_alert", BOOL, "smtp_alert_checker, smtp_alert, else off", "Mail on quorum changes", NOW, area="smtp"),
    word("virtualhost", NAME, "none", "Default Host header", NOW, area="checkers"),
    word("snmp_name", NAME, "none", "Label served over SNMP", NOTHING, area="snmp"),
    flag("alpha", "Real servers start down until checked", NOW, area="checkers"),
    flag("omega", "At shutdown run down/quorum-down notifications", NOW, area="checkers"),
    word("quorum_up", SCRIPT, "none", "Run when quorum is gained", NOW, area="scripts"),
    word("quorum_down", SCRIPT, "none", "Run when quorum is lost", NOW, area="scripts"),
    word("quorum", number(1, UINT_MAX), "1", "Weight needed for the service to be up", NOW, area="checkers"),
    word("hysteresis", number(0), "0", "Extra weight for changes of quorum state", NOW, area="checkers"),
    word("weight", number(1, INT_MAX), "1", "Default real server weight", NOW),
    word("sorry_server", (ADDRESS, optional(number(0, 65535))), "none", "Server used when quorum is lost", NOW),
    flag("sorry_server_inhibit", "Keep the sorry server at weight 0 instead of removing it", NOW),
    word(
        "sorry_server_lvs_method",
        METHOD,
        "service method",
        "Forwarding method of the sorry server",
        NOW,
        options="virtual_server.lb_kind",
    ),
    block("real_server", (HOST, optional(number(0, 65535))), "One backend, by address or by host name", NOW),
)

REAL_SERVER = (
    word("weight", number(0, INT_MAX), "service weight (1)", "Weight", NOW, area="ipvs"),
    word(
        "lvs_method", METHOD, "service method", "Forwarding method", NOW, options="virtual_server.lb_kind", area="ipvs"
    ),
    word("uthreshold", number(0, UINT_MAX), "0", "Upper connection limit", NOW, area="ipvs"),
    word("lthreshold", number(0, UINT_MAX), "0", "Lower connection limit", NOW, area="ipvs"),
    word(
        "pyhad_slow_start",
        seconds("0"),
        "service setting",
        "How long it takes to its whole weight after it recovered",
        NOW,
    ),
    word("inhibit_on_failure", BOOL, "service setting", "Weight 0 instead of removal on failure", NOW, area="ipvs"),
    word("notify_up", SCRIPT, "none", "Run when the server is added", NOW, area="scripts"),
    word("notify_down", SCRIPT, "none", "Run when the server is removed", NOW, area="scripts"),
    word("alpha", BOOL, "service setting", "Start down until checked", NOW),
    word("retry", number(1, UINT_MAX), "service setting", "Default retries", NOW),
    word("delay_before_retry", seconds("0"), "service setting", "Default wait between retries", NOW),
    word("warmup", seconds("0"), "service setting", "Default random start spread", NOW),
    word("connect_timeout", seconds("0.000001", TIMER_MAX), "service setting", "Default connection timeout", NOW),
    word("delay_loop", seconds("0.000001"), "service setting", "Default check interval", NOW),
    word("pyhad_max_latency", seconds("0.000001", TIMER_MAX), "service setting", "Default of checkers", NOW),
    word("pyhad_latency_warning", seconds("0.000001", TIMER_MAX), "service setting", "Default of checkers", NOW),
    word(
        "smtp_alert",
        BOOL,
        "smtp_alert_checker, smtp_alert, else ON",
        "Mail on state changes of this server",
        NOW,
        area="smtp",
    ),
    word("virtualhost", NAME, "service setting", "Default Host header", NOW),
    word("snmp_name", NAME, "none", "Label served over SNMP", NOTHING, area="snmp"),
    block("HTTP_GET", (), "HTTP check", NOW),
    block("SSL_GET", (), "HTTPS check", NOW),
    block("TCP_CHECK", (), "TCP connect check", NOW),
    block("SMTP_CHECK", (), "SMTP dialogue check", NOW),
    block("DNS_CHECK", (), "DNS query check", NOW),
    block("MISC_CHECK", (), "Script check", NOW),
    block("PING_CHECK", (), "ICMP echo check", NOW),
    block("UDP_CHECK", (), "UDP probe", NOW),
    block("FILE_CHECK", (), "Weight/state from a track_file", NOW),
    block("BFD_CHECK", (), "State from a BFD session", NOW),
    block("PYHAD_GRPC_CHECK", (), "Health service of gRPC", NOW),
)

METHOD_OPTIONS = (
    option("type", choice("ipip", "gue", "gre"), "ipip", "Tunnel type for TUN", NOW),
    option("port", number(1, 65535), "none", "gue port", NOW),
    option("nocsum", (), "default", "No tunnel checksum", NOW),
    option("csum", (), "-", "Tunnel checksum", NOW),
    option("remcsum", (), "-", "Remote checksum offload", NOW),
)


SHEETS = (
    Sheet(("virtual_server_group.ENTRY",), "ipvs", GROUP_ENTRY),
    Sheet(("virtual_server",), "ipvs", VIRTUAL_SERVER),
    Sheet(("virtual_server.real_server",), "checkers", REAL_SERVER),
    Sheet(("virtual_server.lb_kind",), "ipvs", METHOD_OPTIONS),
)
