"""The options of address, route and rule lines, shared by the static ones and those of an instance. Data only."""

from __future__ import annotations

from pyhad.common.config.arguments import (
    ADDRESS,
    ADDRESS4,
    ADDRESS6,
    INTERFACE,
    LIFETIME,
    MARK,
    MARK_AND_MASK,
    MILLIS_OR_SECONDS,
    NAME,
    PREFIX,
    SPAN,
    TEXT,
    UINT_MAX,
    choice,
    number,
    text,
)
from pyhad.common.config.keyword import NOTHING, NOW, Sheet, option

_TYPES = (
    "unicast", "local", "broadcast", "brd", "anycast", "multicast", "throw", "unreachable", "prohibit", "blackhole",
    "nat", "xresolve",
)  # fmt: skip
ID_MAX = 2**64 - 1
ROUTE_TYPE = text("|".join(_TYPES), rf"{'|'.join(_TYPES)}|[0-9]{{1,2}}")
DESTINATION = text("PREFIX|default", r"default|[0-9a-fA-F:.]*[.:][0-9a-fA-F:.]*(/[0-9]{1,3})?")
PORTS = text("N[-M]", r"[0-9]{1,5}(-[0-9]{1,5})?")

TRACK_GROUP = (option("track_group", NAME, "none", "The instances of this track_group follow its interface", NOW),)

ADDRESS_LINE = (
    option("ADDRESS", PREFIX, "/32 or /128", "Address to configure", NOW, placeholder=True, bare=True),
    option("dev", INTERFACE, "default_interface", "Device", NOW),
    option("scope", TEXT, "global", "Address scope", NOW),
    option("broadcast", text("IPV4|+|-"), "none", "Broadcast address, + sets host bits, - clears them", NOW),
    option("brd", text("IPV4|+|-"), "-", "Same", NOW, alias_of="broadcast"),
    option("label", TEXT, "none", "Address label", NOW),
    option("peer", PREFIX, "none", "Point-to-point peer address", NOW),
    option("home", (), "off", "Set IFA_F_HOMEADDRESS", NOW),
    option("-nodad", (), "NODAD is set", "Let the kernel do duplicate address detection", NOW),
    option("mngtmpaddr", (), "off", "Set IFA_F_MANAGETEMPADDR", NOW),
    option("noprefixroute", (), "off", "Do not create the prefix route", NOW),
    option("autojoin", (), "off", "Set IFA_F_MCAUTOJOIN", NOW),
    option("no_track", (), "tracked", "Do not re-add when removed / do not track its interface", NOW),
    option(
        "preferred_lft",
        LIFETIME,
        "IPv6 /128: 0; other IPv6: forever",
        "Preferred lifetime of the address",
        NOW,
    ),
)

VIRTUAL_ADDRESS_ONLY = (option("use_vmac", (), "off", "Put this address on a VMAC in any case", NOW),)

EXCLUDED = (
    option("(same as virtual_ipaddress)", TEXT, "-", "Same options as virtual_ipaddress", NOW, placeholder=True),
)

ROUTE_LINE = (
    option("inet", (), "from addresses", "Force IPv4", NOW),
    option("inet6", (), "from addresses", "Force IPv6", NOW),
    option("to", DESTINATION, "optional", "Introduces the destination", NOW, leading=_TYPES),
    option("TYPE", ROUTE_TYPE, "unicast", "Route type", NOW, placeholder=True, bare=True),
    option("DEST", DESTINATION, "required", "Destination", NOW, placeholder=True, bare=True),
    option("src", ADDRESS, "none", "Preferred source", NOW),
    option("as", text("ADDRESS"), "-", "Not supported by any kernel: reported and ignored", NOTHING, leading=("to",)),
    option("via", ADDRESS, "none", "Gateway", NOW, leading=("inet", "inet6")),
    option("gw", ADDRESS, "-", "Gateway, old word", NOW, alias_of="via", deprecated="via", leading=("inet", "inet6")),
    option("from", PREFIX, "none", "Source-specific route", NOW),
    option("tos", NAME, "0", "TOS match", NOW),
    option("dsfield", NAME, "-", "TOS match", NOW, alias_of="tos"),
    option("table", NAME, "main", "Routing table", NOW),
    option("protocol", NAME, "18 (keepalived)", "Route protocol", NOW),
    option("scope", NAME, "global", "Route scope", NOW),
    option("metric", number(0, UINT_MAX), "kernel", "Metric", NOW),
    option("priority", number(0, UINT_MAX), "-", "Metric", NOW, alias_of="metric"),
    option("preference", number(0, UINT_MAX), "-", "Metric", NOW, alias_of="metric"),
    option("dev", INTERFACE, "none", "Output device", NOW),
    option("oif", INTERFACE, "-", "Output device", NOW, alias_of="dev"),
    option("onlink", (), "off", "Gateway is on link", NOW),
    option("encap", choice("mpls", "ip", "ip6", "ila"), "none", "Lightweight tunnel encapsulation", NOW),
    option("encap ip: id", number(0, ID_MAX), "-", "Tunnel id", NOW),
    option("encap ip: dst", ADDRESS4, "-", "Tunnel destination", NOW),
    option("encap ip: src", ADDRESS4, "-", "Tunnel source", NOW),
    option("encap ip: tos", NAME, "-", "Outer TOS", NOW),
    option("encap ip: ttl", number(0, 255), "-", "Outer TTL", NOW),
    option("encap ip: flags", number(0, 65535), "-", "Tunnel flags", NOW),
    option("encap ip6: id", number(0, ID_MAX), "-", "Tunnel id", NOW),
    option("encap ip6: dst", ADDRESS6, "-", "Tunnel destination", NOW),
    option("encap ip6: src", ADDRESS6, "-", "Tunnel source", NOW),
    option("encap ip6: tc", NAME, "-", "Traffic class", NOW),
    option("encap ip6: hoplimit", number(0, 255), "-", "Outer hop limit", NOW),
    option("encap ip6: flags", number(0, 65535), "-", "Tunnel flags", NOW),
    option("expires", number(0, UINT_MAX), "none", "Route lifetime", NOW),
    option("mtu", number(0, UINT_MAX), "none", "Path MTU", NOW, leading=("lock",)),
    option("hoplimit", number(0, 255), "none", "Hop limit metric", NOW),
    option("advmss", number(0, UINT_MAX), "none", "Advertised MSS", NOW, leading=("lock",)),
    option("rtt", MILLIS_OR_SECONDS, "none", "Initial RTT", NOW, leading=("lock",)),
    option("rttvar", MILLIS_OR_SECONDS, "none", "Initial RTT variance", NOW, leading=("lock",)),
    option("reordering", number(0, UINT_MAX), "none", "TCP reordering", NOW, leading=("lock",)),
    option("window", number(0, UINT_MAX), "none", "TCP window clamp", NOW),
    option("cwnd", number(0, UINT_MAX), "none", "Congestion window clamp", NOW, leading=("lock",)),
    option("ssthresh", number(0, UINT_MAX), "none", "Slow start threshold", NOW, leading=("lock",)),
    option("realms", TEXT, "none", "Route realms", NOW),
    option("rto_min", MILLIS_OR_SECONDS, "none", "Minimum RTO", NOW, leading=("lock",)),
    option("initcwnd", number(0, UINT_MAX), "none", "Initial congestion window", NOW),
    option("initrwnd", number(0, UINT_MAX), "none", "Initial receive window", NOW),
    option("features", choice("ecn"), "none", "Route features", NOW),
    option("quickack", number(0, 1), "none", "TCP quickack", NOW),
    option("congctl", NAME, "none", "Congestion control", NOW, leading=("lock",)),
    option("pref", text("low|medium|high|N", "low|medium|high|[0-3]"), "none", "Router preference", NOW),
    option("ttl-propagate", choice("enabled", "disabled"), "none", "MPLS TTL propagation", NOW),
    option("fastopen_no_cookie", number(0, 1), "none", "TCP fast open without cookie", NOW),
    option("add", (), "prepend", "Fail if a matching route exists (iproute2 style)", NOW),
    option("prepend", (), "default", "Insert before existing routes", NOW),
    option("append", (), "-", "Insert after existing routes", NOW),
    option("or", ADDRESS, "-", "Second gateway, old form", NOW, deprecated="nexthop"),
    option("nexthop", (), "-", "Multipath next hop", NOW),
    option("nexthop: weight", number(1, 256), "1", "Next-hop weight", NOW),
    option("no_track", (), "tracked", "Do not react when the route disappears", NOW),
    option("vrf", INTERFACE, "none", "Use the VRF's table", NOW),
)

RULE_LINE = (
    option("inet", (), "from addresses, else IPv4", "IPv4 rule", NOW),
    option("inet6", (), "-", "IPv6 rule", NOW),
    option("not", (), "off", "Invert the selector", NOW),
    option("from", PREFIX, "any", "Source selector", NOW),
    option("to", PREFIX, "any", "Destination selector", NOW),
    option("table", NAME, "-", "Action: look up table", NOW),
    option("lookup", NAME, "-", "Action: look up table", NOW, alias_of="table"),
    option("preference", MARK, "counts down from 16384 per family with a warning", "Rule priority", NOW),
    option("order", MARK, "-", "Rule priority", NOW, alias_of="preference"),
    option("priority", MARK, "-", "Rule priority", NOW, alias_of="preference"),
    option("tos", NAME, "any", "TOS selector", NOW),
    option("dsfield", NAME, "-", "TOS selector", NOW, alias_of="tos"),
    option("fwmark", MARK_AND_MASK, "any", "Mark selector", NOW),
    option("realms", TEXT, "none", "Realms", NOW),
    option("suppress_prefixlength", number(0, 128), "none", "Ignore short prefixes", NOW),
    option("sup_pl", number(0, 128), "-", "Same", NOW, alias_of="suppress_prefixlength"),
    option("suppress_ifgroup", NAME, "none", "Ignore results on a link group", NOW),
    option("sup_group", NAME, "-", "Same", NOW, alias_of="suppress_ifgroup"),
    option("dev", INTERFACE, "any", "Input device", NOW),
    option("iif", INTERFACE, "any", "Input device", NOW, alias_of="dev"),
    option("oif", INTERFACE, "any", "Output device", NOW),
    option("tunnel-id", number(0, ID_MAX), "any", "Tunnel id selector", NOW),
    option("uidrange", SPAN, "any", "UID selector", NOW),
    option("l3mdev", (), "off", "Use the l3 master device table", NOW),
    option("protocol", number(0, 255), "18", "Rule owner protocol", NOW),
    option("ipproto", NAME, "any", "IP protocol selector", NOW),
    option("sport", PORTS, "any", "Source port selector", NOW),
    option("dport", PORTS, "any", "Destination port selector", NOW),
    option("type", (), "-", "Optional word before the action", NOW),
    option("goto", number(0, UINT_MAX), "-", "Action: jump to a rule", NOW),
    option("nop", (), "-", "Action: nothing", NOW),
    option("blackhole", (), "-", "Action: drop", NOW),
    option("unreachable", (), "-", "Action: ICMP unreachable", NOW),
    option("prohibit", (), "-", "Action: ICMP prohibited", NOW),
    option("no_track", (), "tracked", "Do not react when the rule disappears", NOW),
)


SHEETS = (
    Sheet(("static_ipaddress.ADDR",), "tracking", TRACK_GROUP),
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
    Sheet(("static_routes.ROUTE",), "tracking", TRACK_GROUP),
    Sheet(
        (
            "static_rules.RULE",
            "vrrp_instance.virtual_rules.RULE",
        ),
        "vrrp",
        RULE_LINE,
    ),
    Sheet(("static_rules.RULE",), "tracking", TRACK_GROUP),
)
