"""The options of address, route and rule lines, shared by the static ones and those of an instance. Data only."""

from __future__ import annotations

from pyhad.common.config.arguments import (
    ADDRESS,
    ADDRESS4,
    ADDRESS6,
    INTERFACE,
    MARK,
    NAME,
    PREFIX,
    TEXT,
    UINT_MAX,
    choice,
    number,
    optional,
    text,
)
from pyhad.common.config.keyword import LOUD, NOW, Sheet, option

ROUTE_TYPE = choice(
    "unicast",
    "local",
    "broadcast",
    "brd",
    "anycast",
    "multicast",
    "throw",
    "unreachable",
    "prohibit",
    "blackhole",
    "nat",
    "xresolve",
)

STATIC_ADDRESS_ONLY = (option("track_group", NAME, "none", "Present only while this track_group is up"),)

ADDRESS_LINE = (
    option("ADDRESS", PREFIX, "/32 or /128", "Address to configure", NOW, placeholder=True, bare=True),
    option("dev", INTERFACE, "default_interface", "Device", NOW),
    option("scope", TEXT, "global", "Address scope", NOW),
    option("broadcast", text("IPV4|+|-"), "none", "Broadcast address, + sets host bits, - clears them", NOW),
    option("brd", text("IPV4|+|-"), "-", "Same", NOW, alias_of="broadcast"),
    option("label", TEXT, "none", "Address label", NOW),
    option("peer", PREFIX, "none", "Point-to-point peer address"),
    option("home", (), "off", "Set IFA_F_HOMEADDRESS"),
    option("-nodad", (), "NODAD is set", "Let the kernel do duplicate address detection"),
    option("mngtmpaddr", (), "off", "Set IFA_F_MANAGETEMPADDR"),
    option("noprefixroute", (), "off", "Do not create the prefix route"),
    option("autojoin", (), "off", "Set IFA_F_MCAUTOJOIN"),
    option("no_track", (), "tracked", "Do not re-add when removed / do not track its interface", NOW),
    option(
        "preferred_lft",
        text("forever|SECONDS"),
        "IPv6 /128: 0; other IPv6: forever",
        "Preferred lifetime of the address",
        NOW,
    ),
)

VIRTUAL_ADDRESS_ONLY = (option("use_vmac", (), "off", "Put this address on a VMAC in any case", LOUD),)

EXCLUDED = (option("(same as virtual_ipaddress)", TEXT, "-", "Same options as virtual_ipaddress", placeholder=True),)

ROUTE_LINE = (
    option("inet", (), "from addresses", "Force IPv4"),
    option("inet6", (), "from addresses", "Force IPv6"),
    option("to", text("PREFIX|default"), "optional", "Introduces the destination"),
    option("TYPE", ROUTE_TYPE, "unicast", "Route type", placeholder=True, bare=True),
    option("DEST", text("PREFIX|default"), "required", "Destination", placeholder=True, bare=True),
    option("src", ADDRESS, "none", "Preferred source"),
    option("as", text("ADDRESS"), "-", "Not supported", leading=("to",)),
    option("via", ADDRESS, "none", "Gateway", leading=("inet", "inet6")),
    option("gw", ADDRESS, "-", "Gateway, old word", alias_of="via", deprecated="via", leading=("inet", "inet6")),
    option("from", PREFIX, "none", "Source-specific route"),
    option("tos", NAME, "0", "TOS match"),
    option("dsfield", NAME, "-", "TOS match", alias_of="tos"),
    option("table", NAME, "main", "Routing table"),
    option("protocol", NAME, "18 (keepalived)", "Route protocol"),
    option("scope", NAME, "global", "Route scope"),
    option("metric", number(0, UINT_MAX), "kernel", "Metric"),
    option("priority", number(0, UINT_MAX), "-", "Metric", alias_of="metric"),
    option("preference", number(0, UINT_MAX), "-", "Metric", alias_of="metric"),
    option("dev", INTERFACE, "none", "Output device"),
    option("oif", INTERFACE, "-", "Output device", alias_of="dev"),
    option("onlink", (), "off", "Gateway is on link"),
    option("encap", choice("mpls", "ip", "ip6", "ila"), "none", "Lightweight tunnel encapsulation"),
    option("encap ip: id", number(0), "-", "Tunnel id"),
    option("encap ip: dst", ADDRESS4, "-", "Tunnel destination"),
    option("encap ip: src", ADDRESS4, "-", "Tunnel source"),
    option("encap ip: tos", NAME, "-", "Outer TOS"),
    option("encap ip: ttl", number(0, 255), "-", "Outer TTL"),
    option("encap ip: flags", number(0, 65535), "-", "Tunnel flags"),
    option("encap ip6: id", number(0), "-", "Tunnel id"),
    option("encap ip6: dst", ADDRESS6, "-", "Tunnel destination"),
    option("encap ip6: src", ADDRESS6, "-", "Tunnel source"),
    option("encap ip6: tc", NAME, "-", "Traffic class"),
    option("encap ip6: hoplimit", number(0, 255), "-", "Outer hop limit"),
    option("encap ip6: flags", number(0, 65535), "-", "Tunnel flags"),
    option("expires", number(0, UINT_MAX), "none", "Route lifetime"),
    option("mtu", optional(number(0, UINT_MAX)), "none", "Path MTU", leading=("lock",)),
    option("hoplimit", number(0, 255), "none", "Hop limit metric"),
    option("advmss", optional(number(0, UINT_MAX)), "none", "Advertised MSS", leading=("lock",)),
    option("rtt", optional(TEXT), "none", "Initial RTT", leading=("lock",)),
    option("rttvar", optional(TEXT), "none", "Initial RTT variance", leading=("lock",)),
    option("reordering", optional(number(0, UINT_MAX)), "none", "TCP reordering", leading=("lock",)),
    option("window", number(0, UINT_MAX), "none", "TCP window clamp"),
    option("cwnd", optional(number(0, UINT_MAX)), "none", "Congestion window clamp", leading=("lock",)),
    option("ssthresh", optional(number(0, UINT_MAX)), "none", "Slow start threshold", leading=("lock",)),
    option("realms", optional(TEXT), "none", "Route realms"),
    option("rto_min", optional(TEXT), "none", "Minimum RTO", leading=("lock",)),
    option("initcwnd", number(0, UINT_MAX), "none", "Initial congestion window"),
    option("initrwnd", number(0, UINT_MAX), "none", "Initial receive window"),
    option("features", choice("ecn"), "none", "Route features"),
    option("quickack", number(0, 1), "none", "TCP quickack"),
    option("congctl", optional(NAME), "none", "Congestion control", leading=("lock",)),
    option("pref", text("low|medium|high|N"), "none", "Router preference"),
    option("ttl-propagate", choice("enabled", "disabled"), "none", "MPLS TTL propagation"),
    option("fastopen_no_cookie", number(0, 1), "none", "TCP fast open without cookie"),
    option("add", (), "prepend", "Fail if a matching route exists (iproute2 style)"),
    option("prepend", (), "default", "Insert before existing routes"),
    option("append", (), "-", "Insert after existing routes"),
    option("or", ADDRESS, "-", "Second gateway, old form", deprecated="nexthop"),
    option("nexthop", (), "-", "Multipath next hop"),
    option("nexthop: weight", number(1, 256), "1", "Next-hop weight"),
    option("no_track", (), "tracked", "Do not react when the route disappears"),
    option("vrf", INTERFACE, "none", "Use the VRF's table"),
)

STATIC_ROUTE_ONLY = (option("track_group", NAME, "none", "Present only while this track_group is up"),)

RULE_LINE = (
    option("inet", (), "from addresses, else IPv4", "IPv4 rule"),
    option("inet6", (), "-", "IPv6 rule"),
    option("not", (), "off", "Invert the selector"),
    option("from", PREFIX, "any", "Source selector"),
    option("to", PREFIX, "any", "Destination selector"),
    option("table", NAME, "-", "Action: look up table"),
    option("lookup", NAME, "-", "Action: look up table", alias_of="table"),
    option("preference", MARK, "counts down from 16384 per family with a warning", "Rule priority"),
    option("order", MARK, "-", "Rule priority", alias_of="preference"),
    option("priority", MARK, "-", "Rule priority", alias_of="preference"),
    option("tos", NAME, "any", "TOS selector"),
    option("dsfield", NAME, "-", "TOS selector", alias_of="tos"),
    option("fwmark", text("MARK[/MASK]"), "any", "Mark selector"),
    option("realms", optional(TEXT), "none", "Realms"),
    option("suppress_prefixlength", number(0), "none", "Ignore short prefixes"),
    option("sup_pl", number(0), "-", "Same", alias_of="suppress_prefixlength"),
    option("suppress_ifgroup", NAME, "none", "Ignore results on a link group"),
    option("sup_group", NAME, "-", "Same", alias_of="suppress_ifgroup"),
    option("dev", INTERFACE, "any", "Input device"),
    option("iif", INTERFACE, "any", "Input device", alias_of="dev"),
    option("oif", INTERFACE, "any", "Output device"),
    option("tunnel-id", number(0), "any", "Tunnel id selector"),
    option("uidrange", text("A-B"), "any", "UID selector"),
    option("l3mdev", (), "off", "Use the l3 master device table"),
    option("protocol", number(0, 255), "18", "Rule owner protocol"),
    option("ipproto", NAME, "any", "IP protocol selector"),
    option("sport", text("A-B"), "any", "Source port selector"),
    option("dport", text("A-B"), "any", "Destination port selector"),
    option("type", (), "-", "Optional word before the action"),
    option("goto", number(0, UINT_MAX), "-", "Action: jump to a rule"),
    option("nop", (), "-", "Action: nothing"),
    option("blackhole", (), "-", "Action: drop"),
    option("unreachable", (), "-", "Action: ICMP unreachable"),
    option("prohibit", (), "-", "Action: ICMP prohibited"),
    option("no_track", (), "tracked", "Do not react when the rule disappears"),
)

STATIC_RULE_ONLY = (option("track_group", NAME, "none", "Present only while this track_group is up"),)


SHEETS = (
    Sheet(("static_ipaddress.ADDR",), "tracking", STATIC_ADDRESS_ONLY),
    Sheet(
        (
            "static_ipaddress.ADDR",
            "vrrp_instance.virtual_ipaddress.ADDR",
        ),
        "vrrp",
        ADDRESS_LINE,
    ),
    Sheet(("vrrp_instance.virtual_ipaddress.ADDR",), "vrrp", VIRTUAL_ADDRESS_ONLY),
    Sheet(("vrrp_instance.virtual_ipaddress_excluded.ADDR",), "vrrp", EXCLUDED),
    Sheet(
        (
            "static_routes.ROUTE",
            "vrrp_instance.virtual_routes.ROUTE",
        ),
        "vrrp",
        ROUTE_LINE,
    ),
    Sheet(("static_routes.ROUTE",), "tracking", STATIC_ROUTE_ONLY),
    Sheet(
        (
            "static_rules.RULE",
            "vrrp_instance.virtual_rules.RULE",
        ),
        "vrrp",
        RULE_LINE,
    ),
    Sheet(("static_rules.RULE",), "tracking", STATIC_RULE_ONLY),
)
