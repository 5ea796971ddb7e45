"""The words of the top level and of the small blocks that stand there: trackers, BFD, SSL, groups. Data only."""

from __future__ import annotations

from pyhad.common.config.arguments import (
    ADDRESS,
    BOOL,
    GROUP,
    INT_MAX,
    INTERFACE,
    NAME,
    PATH,
    SCRIPT,
    TEXT,
    TIMER_MAX,
    USER,
    choice,
    many,
    milliseconds,
    number,
    optional,
    seconds,
    text,
)
from pyhad.common.config.keyword import LATER, NOTHING, NOW, Form, Sheet, block, flag, lines, option, word

ROOT = (
    word(
        "include",
        PATH,
        "-",
        "Pull in file(s) matching a shell glob (brace lists allowed); missing or unreadable files only logged",
        NOW,
        form=Form.DIRECTIVE,
    ),
    word(
        "includer",
        PATH,
        "-",
        "As include, but a match that is not a readable plain file stops the start",
        NOW,
        form=Form.DIRECTIVE,
    ),
    word(
        "includem", PATH, "-", "includer plus: error when a non-wildcard path does not exist", NOW, form=Form.DIRECTIVE
    ),
    word("includew", PATH, "-", "includem plus: error when a wildcard matches nothing", NOW, form=Form.DIRECTIVE),
    word(
        "includeb", PATH, "-", "includer plus: every alternative of a brace list must exist", NOW, form=Form.DIRECTIVE
    ),
    word("includea", PATH, "-", "All of the r, m, w and b checks together", NOW, form=Form.DIRECTIVE),
    flag(
        "linkbeat_use_polling",
        "Poll the link state (MII/ETHTOOL/ioctl) of every VRRP interface instead of trusting netlink",
        NOW,
        area="linkbeat",
    ),
    word(
        "net_namespace",
        NAME,
        "current netns",
        "Run the whole daemon in the named network namespace; its run directory bears that name",
        NOW,
        area="netns",
    ),
    word(
        "net_namespace_ipvs",
        optional(NAME),
        "same netns as daemon",
        "Balance in another network namespace; without NAME in the one that the daemon was started in",
        NOW,
        area="netns",
    ),
    flag(
        "namespace_with_ipsets",
        "Allow ipsets inside a network namespace on pre-3.13 kernels (here no ipset is used)",
        NOTHING,
        area="netns",
    ),
    flag("use_pid_dir", "Place PID files in a directory of their own (always so here)", NOTHING, area="process"),
    word(
        "instance",
        NAME,
        "none",
        "Name this daemon copy; goes into its run directory, log lines and dump files",
        NOW,
        area="process",
    ),
    word(
        "child_wait_time",
        seconds("0", "4294967295", places=0),
        "5",
        "How long the parent waits for its children at shutdown before sending KILL",
        NOW,
        area="process",
    ),
    block("global_defs", (), "Container of daemon-wide settings", NOW, area="global"),
    block(
        "track_group",
        NAME,
        "Named set of VRRP instances that follow the interfaces of static addresses, routes and rules",
        NOW,
        area="tracking",
    ),
    lines(
        "static_ipaddress",
        (),
        "Addresses configured while the daemon runs, independent of VRRP state",
        NOW,
        of="static_ipaddress.ADDR",
        area="vrrp",
    ),
    lines("static_routes", (), "Routes configured while the daemon runs", NOW, of="static_routes.ROUTE", area="vrrp"),
    lines(
        "static_rules", (), "Policy rules configured while the daemon runs", NOW, of="static_rules.RULE", area="vrrp"
    ),
    block("vrrp_sync_group", NAME, "Ties VRRP instances so that they change state together", NOW, area="vrrp"),
    block(
        "garp_group", (), "Rate-limit group for gratuitous ARP / unsolicited NA on some interfaces", NOW, area="garp"
    ),
    lines(
        "linkbeat_interfaces",
        (),
        "Interfaces whose link state is polled, with optional method",
        NOW,
        of="linkbeat_interfaces",
        area="linkbeat",
    ),
    block("vrrp_instance", NAME, "One VRRP virtual router", NOW, area="vrrp"),
    block("vrrp_script", NAME, "Health script that instances/groups may track", NOW, area="scripts"),
    block("vrrp_track_process", NAME, "Process-presence tracker based on kernel process events", NOW, area="tracking"),
    lines(
        "interface_up_down_delays",
        (),
        "Debounce timers per interface before acting on link down / up",
        NOW,
        of="interface_up_down_delays",
        area="tracking",
    ),
    block("track_file", NAME, "Number file whose value feeds priority or weight", NOW, area="tracking"),
    block("vrrp_track_file", NAME, "Same block as track_file, logs a deprecation note", NOW, area="tracking"),
    block("bfd_instance", NAME, "One BFD session", LATER, area="bfd"),
    block("SSL", (), "TLS client material used by SSL_GET checks", NOW, area="checkers"),
    lines(
        "virtual_server_group",
        NAME,
        "Named list of service addresses/ranges/fwmarks sharing one pool",
        NOW,
        of="virtual_server_group.ENTRY",
        area="ipvs",
    ),
    block(
        "virtual_server",
        (text("ADDRESS|fwmark|group"), optional(text("PORT|MARK|NAME"))),
        "One balanced IPVS service",
        NOW,
        area="ipvs",
    ),
)

LINKBEAT = (
    option("MII", (), "MII, then ETHTOOL, then IOCTL", "Poll by MII registers", NOW),
    option("ETHTOOL", (), "-", "Poll by ethtool", NOW),
    option("IOCTL", (), "-", "Poll interface flags", NOW),
    option("IFNAME", INTERFACE, "-", "Interface that is polled", NOW, bare=True, placeholder=True),
)

UP_DOWN_DELAYS = (
    option(
        "IFNAME",
        (INTERFACE, seconds("0", "255"), optional(seconds("0", "255"))),
        "UP 0",
        "Down and up debounce of one interface",
        NOW,
        placeholder=True,
        bare=True,
    ),
)

TRACK_GROUP = (lines("group", (), "Instances that follow the interfaces of linked static items", NOW, of=""),)

GARP_GROUP = (
    word("garp_interval", seconds("0", TIMER_MAX), "none", "Spacing between GARPs inside the group", NOW),
    word("gna_interval", seconds("0", TIMER_MAX), "none", "Spacing between NAs inside the group", NOW),
    word("interface", INTERFACE, "-", "Interface with its own limit", NOW),
    lines("interfaces", (), "Interfaces that share one limit", NOW, of=""),
)

VRRP_SCRIPT = (
    word("script", SCRIPT, "required", "Command to run", NOW),
    word("interval", seconds("0.001", "4294", places=3, clamp=True), "1", "Time between runs", NOW),
    word(
        "timeout",
        seconds("0.001", "4294", places=3, clamp=True),
        "interval",
        "Time after which a run counts as failed and is terminated",
        NOW,
    ),
    word(
        "weight",
        number(-253, 253, clamp=True),
        "0",
        "Default weight for trackers",
        NOW,
        options="OPTIONS.weight",
        area="tracking",
    ),
    word("rise", number(1, INT_MAX), "1", "Successes needed to go up", NOW),
    word("fall", number(1, INT_MAX), "1", "Failures needed to go down", NOW),
    word("user", (USER, optional(GROUP)), "default script user", "Account to run as", NOW),
    flag("init_fail", "Start in failed state", NOW, default="unknown until first run"),
)

TRACK_PROCESS = (
    word("process", many(TEXT), "required", "Process name, or command with parameters", NOW),
    word(
        "param_match",
        optional(choice("initial", "partial")),
        "exact if parameters given",
        "How parameters are compared",
        NOW,
    ),
    word("weight", number(-254, 254), "0", "Default weight", NOW, options="OPTIONS.weight"),
    word("quorum", number(1, 65535), "1", "Least number of processes", NOW),
    word("quorum_max", number(0, 65535), "unlimited", "Greatest number of processes", NOW),
    word("delay", seconds("0.000001", "3600"), "0", "Sets both delays", NOW),
    word(
        "terminate_delay", seconds("0.000001", "3600"), "0", "How long a change by the end of processes must last", NOW
    ),
    word("fork_delay", seconds("0.000001", "3600"), "0", "How long a change by new processes must last", NOW),
    flag("full_command", "Match the command line, not the comm name", NOW),
)

TRACK_FILE = (
    word("file", PATH, "required", "File holding a decimal/0x/0 number", NOW),
    word(
        "weight",
        number(-254, 254),
        "1",
        "Factor applied to the number; 0 = non-zero means failure",
        NOW,
        options="OPTIONS.weight",
    ),
    word(
        "init_file",
        (),
        "not created; VALUE 0",
        "Create (or overwrite) the file at startup",
        NOW,
        options="OPTIONS.init_file",
    ),
)

BFD_INSTANCE = (
    word("source_ip", ADDRESS, "any", "Local address"),
    word("neighbor_ip", ADDRESS, "required", "Remote address"),
    word("neighbour_ip", ADDRESS, "-", "Remote address", alias_of="neighbor_ip"),
    word("min_rx", milliseconds(1, 4294967), "10", "Required minimum receive interval"),
    word("min_tx", milliseconds(1, 4294967), "10", "Desired minimum transmit interval while Up"),
    word("idle_tx", milliseconds(1000, 4294967), "1000", "Transmit interval while not Up"),
    word("multiplier", number(1, 255), "5", "Detection multiplier"),
    flag("passive", "Do not send before hearing the neighbour"),
    word("ttl", number(1, 255), "255 IPv4, 64 IPv6", "TTL of sent packets"),
    word("hoplimit", number(1, 255), "-", "Hop limit of sent packets", alias_of="ttl"),
    word(
        "max_hops",
        number(-1, 255, clamp=True),
        "0",
        "Hops a received packet may have travelled; -1 meant to disable the check",
    ),
    word("multihop", BOOL, "off", "Use RFC5883 port 4784"),
    word("weight", number(-253, 253), "0", "Default VRRP tracking weight", NOW, options="OPTIONS.weight"),
    flag("vrrp", "Send events to the VRRP process only", NOW, default="both if neither given"),
    flag("checker", "Send events to the checker process only", NOW, default="both if neither given"),
)

SSL = (
    word("password", TEXT, "none", "Pass phrase of the key", NOW, secret=True),
    word("ca", PATH, "none", "CA file", NOW),
    word("certificate", PATH, "none", "Certificate chain file", NOW),
    word("key", PATH, "none", "Private key file", NOW),
)

WEIGHT = (option("reverse", (), "off", "Invert the sense", NOW), option("noreverse", (), "-", "Cancel reverse", NOW))

INIT_FILE = (
    option("VALUE", number(-INT_MAX, INT_MAX), "0", "Number written to the file", NOW, placeholder=True, bare=True),
    option("overwrite", (), "off", "Write it even if the file exists", NOW),
)


SHEETS = (
    Sheet(("ROOT",), "misc", ROOT),
    Sheet(("linkbeat_interfaces",), "linkbeat", LINKBEAT),
    Sheet(("interface_up_down_delays",), "tracking", UP_DOWN_DELAYS),
    Sheet(("track_group",), "tracking", TRACK_GROUP),
    Sheet(("garp_group",), "garp", GARP_GROUP),
    Sheet(("vrrp_script",), "scripts", VRRP_SCRIPT),
    Sheet(("vrrp_track_process",), "tracking", TRACK_PROCESS),
    Sheet(
        (
            "track_file",
            "vrrp_track_file",
        ),
        "tracking",
        TRACK_FILE,
    ),
    Sheet(("bfd_instance",), "bfd", BFD_INSTANCE),
    Sheet(("SSL",), "checkers", SSL),
    Sheet(("OPTIONS.weight",), "tracking", WEIGHT),
    Sheet(("OPTIONS.init_file",), "tracking", INIT_FILE),
)
