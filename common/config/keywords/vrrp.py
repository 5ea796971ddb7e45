"""The keywords of `vrrp_instance` and `vrrp_sync_group` with their blocks. Data only."""

from __future__ import annotations

from pyhad.common.config.arguments import (
    ADDRESS,
    BOOL,
    INT_MAX,
    INTERFACE,
    MAC,
    NAME,
    PREFIX,
    SCRIPT,
    TEXT,
    UINT_MAX,
    choice,
    number,
    optional,
    seconds,
    text,
    whole_seconds,
)
from pyhad.common.config.keyword import NOTHING, NOW, Sheet, block, flag, lines, option, word

SYNC_GROUP = (
    lines("group", (), "Members of the group", NOW, of="", area="vrrp"),
    lines(
        "track_interface",
        (),
        "Interfaces tracked on behalf of all members",
        NOW,
        of="vrrp_instance.track_interface.ENTRY",
    ),
    lines("track_script", (), "Scripts tracked on behalf of all members", NOW, of="vrrp_instance.track_script.ENTRY"),
    lines("track_file", (), "Files tracked on behalf of all members", NOW, of="vrrp_instance.track_file.ENTRY"),
    lines(
        "track_process", (), "Processes tracked on behalf of all members", NOW, of="vrrp_instance.track_process.ENTRY"
    ),
    lines("track_bfd", (), "BFD sessions tracked on behalf of all members", NOW, of="vrrp_instance.track_bfd.ENTRY"),
    word("notify_backup", SCRIPT, "none", "Run when the group becomes BACKUP", NOW, area="scripts"),
    word("notify_master", SCRIPT, "none", "Run when the group becomes MASTER", NOW, area="scripts"),
    word("notify_fault", SCRIPT, "none", "Run when the group becomes FAULT", NOW, area="scripts"),
    word("notify_stop", SCRIPT, "none", "Run at shutdown", NOW, area="scripts"),
    word("notify", SCRIPT, "none", "Run on any change with GROUP name state 0 appended", NOW, area="scripts"),
    word("smtp_alert", BOOL, "smtp_alert_vrrp, else smtp_alert, else off", "Mail on group changes", NOW, area="smtp"),
    flag(
        "global_tracking",
        "Same effect as sync_group_tracking_weight with a warning",
        NOW,
        alias_of="sync_group_tracking_weight",
        deprecated="sync_group_tracking_weight",
    ),
    flag("sync_group_tracking_weight", "Allow weighted trackers on members", NOW),
    word(
        "notify_priority_changes",
        BOOL,
        "global setting",
        "Default for members of writing priority changes to the FIFOs",
        NOW,
        area="scripts",
    ),
)

INSTANCE = (
    word("use_vmac", (), "off", "Use a macvlan with the virtual MAC", NOW, options="vrrp_instance.use_vmac"),
    flag("use_vmac_addr", "Also use VMACs for VIPs on other interfaces or of the other family", NOW),
    flag(
        "vmac_xmit_base",
        "Send and receive adverts on the parent interface",
        NOW,
        default="off (forced on for unicast+VMAC)",
    ),
    word("use_ipvlan", (), "off; bridge", "Use an L2 ipvlan interface", NOW, options="vrrp_instance.use_ipvlan"),
    lines("unicast_peer", (), "Unicast destinations", NOW, of="vrrp_instance.unicast_peer.PEER"),
    flag("unicast_fault_no_peer", "With no peers go to FAULT instead of multicasting", NOW),
    flag("check_unicast_src", "Drop adverts whose sender is not a listed peer", NOW),
    word(
        "old_unicast_checksum",
        optional(choice("never")),
        "auto-detect",
        "Checksum style of 1.3.6 and older for unicast VRRPv3/IPv4: bare forces it, never forbids it",
        NOW,
    ),
    flag("native_ipv6", "Force family IPv6 and version 3", NOW, deprecated="nothing"),
    word("state", choice("MASTER", "BACKUP"), "from priority: MASTER iff 255", "Wanted initial state", NOW),
    word(
        "interface", INTERFACE, "required unless unicast with a source address", "Interface the instance lives on", NOW
    ),
    word("vrf", INTERFACE, "none", "VRF device used when no interface is given", NOW),
    flag("dont_track_primary", "Ignore faults of the instance's own interface", NOW, area="tracking"),
    lines("track_interface", (), "Interfaces to track", NOW, of="vrrp_instance.track_interface.ENTRY", area="tracking"),
    lines("track_script", (), "Scripts to track", NOW, of="vrrp_instance.track_script.ENTRY", area="tracking"),
    lines("track_file", (), "Files to track", NOW, of="vrrp_instance.track_file.ENTRY", area="tracking"),
    lines("track_process", (), "Processes to track", NOW, of="vrrp_instance.track_process.ENTRY", area="tracking"),
    lines("track_bfd", (), "BFD sessions to track", NOW, of="vrrp_instance.track_bfd.ENTRY", area="tracking"),
    word("mcast_src_ip", ADDRESS, "interface address", "Source address of adverts", NOW),
    word(
        "unicast_src_ip",
        ADDRESS,
        "interface address",
        "Source address of unicast adverts (also marks the instance as unicast-configured)",
        NOW,
    ),
    word("mcast_dst_ip", ADDRESS, "global mcast group", "Advert destination", NOW),
    flag("track_src_ip", "FAULT while the configured source address is missing", NOW, area="tracking"),
    word("virtual_router_id", number(1, 255), "required", "VRID", NOW),
    word("unicast_ttl", number(0, 255), "255 IPv4, kernel default IPv6", "TTL/hop limit of unicast adverts", NOW),
    word("version", number(2, 3), "vrrp_version (IPv6: 3)", "Protocol version", NOW),
    word("priority", number(1, 255), "255 if state MASTER else 100", "Base priority; 255 means address owner", NOW),
    word("advert_int", seconds("0.01", "255"), "1", "Advert interval", NOW),
    lines("virtual_ipaddress", (), "Advertised virtual addresses", NOW, of="vrrp_instance.virtual_ipaddress.ADDR"),
    lines(
        "virtual_ipaddress_excluded",
        (),
        "Virtual addresses that are not advertised",
        NOW,
        of="vrrp_instance.virtual_ipaddress.ADDR",
    ),
    flag("no_virtual_ipaddress", "Allow an instance without VIPs", NOW),
    word(
        "pyhad_put_back",
        BOOL,
        "global setting",
        "What somebody else removes while MASTER is put back at once; off: mastership is given up, as keepalived does",
        NOW,
    ),
    flag("promote_secondaries", "Set promote_secondaries on the interface", NOW),
    flag(
        "linkbeat_use_polling", "Poll this instance's interface", NOW, deprecated="linkbeat_interfaces", area="linkbeat"
    ),
    word(
        "v3_checksum_as_v2",
        BOOL,
        "global setting",
        "VRRPv3/IPv4 checksum without pseudo header (received ones are checked all the same)",
        NOW,
    ),
    lines("virtual_routes", (), "Routes present while MASTER", NOW, of="vrrp_instance.virtual_routes.ROUTE"),
    lines("virtual_rules", (), "Policy rules present while MASTER", NOW, of="vrrp_instance.virtual_rules.RULE"),
    flag("accept", "Accept packets sent to the VIPs", NOW, default="on unless strict and not owner"),
    flag("no_accept", "Drop packets sent to the VIPs unless owner", NOW),
    word("skip_check_adv_addr", BOOL, "global setting", "Skip VIP list check for adverts from the same master", NOW),
    word("strict_mode", BOOL, "vrrp_strict", "RFC strict mode for this instance", NOW),
    flag("preempt", "Undo nopreempt", NOW, default="on"),
    flag("nopreempt", "A higher-priority backup does not take over", NOW),
    word("preempt_delay", seconds("0", "1000"), "0", "Wait before taking over from a lower-priority master", NOW),
    word("debug", number(0, 4), "0", "Debug level (kept, of little effect)", NOTHING, area="misc"),
    word("notify_backup", SCRIPT, "none", "Run on BACKUP", NOW, area="scripts"),
    word("notify_master", SCRIPT, "none", "Run on MASTER", NOW, area="scripts"),
    word("notify_fault", SCRIPT, "none", "Run on FAULT", NOW, area="scripts"),
    word("notify_stop", SCRIPT, "none", "Run at shutdown", NOW, area="scripts"),
    word(
        "notify_deleted",
        optional(SCRIPT),
        "off = FAULT is reported",
        "Report DELETED (and optionally run a script) when a reload removes the instance",
        NOW,
        area="scripts",
    ),
    word("notify", SCRIPT, "none", "Run on any change with INSTANCE name state priority appended", NOW, area="scripts"),
    word(
        "notify_master_rx_lower_pri",
        SCRIPT,
        "none",
        "Run when a master hears a lower-priority advert",
        NOW,
        area="scripts",
    ),
    word("smtp_alert", BOOL, "smtp_alert_vrrp, else smtp_alert, else off", "Mail on state changes", NOW, area="smtp"),
    word(
        "notify_priority_changes",
        BOOL,
        "group, else global",
        "Write priority changes to the FIFOs",
        NOW,
        area="scripts",
    ),
    word(
        "lvs_sync_daemon_interface",
        INTERFACE,
        "none",
        "Sync daemon bound to this instance",
        NOW,
        deprecated="global lvs_sync_daemon",
        area="ipvs",
    ),
    word(
        "garp_master_delay",
        whole_seconds(0, 4294),
        "global (5)",
        "Wait before the second GARP/NA burst",
        NOW,
        area="garp",
    ),
    word("garp_master_refresh", seconds("0", "4294967295", places=0), "global (0)", "Refresh period", NOW, area="garp"),
    word("garp_master_repeat", number(1, clamp=True), "global (5)", "GARP/NA per burst", NOW, area="garp"),
    word("garp_master_refresh_repeat", number(1, clamp=True), "global (1)", "GARP/NA per refresh", NOW, area="garp"),
    word(
        "garp_lower_prio_delay",
        whole_seconds(0, 4294),
        "global; strict 0",
        "Delay of second burst after a lower-priority advert",
        NOW,
        area="garp",
    ),
    word(
        "garp_lower_prio_repeat",
        number(0, INT_MAX),
        "global; strict 0",
        "Burst size after a lower-priority advert",
        NOW,
        area="garp",
    ),
    word("down_timer_adverts", number(1, 100), "global (3)", "Missed adverts before takeover", NOW),
    word(
        "timer_expired_backup",
        optional(number(1, 254)),
        "off; bare = 254",
        "As master, fall back to BACKUP if the process was not scheduled long enough for a peer to have taken over",
        NOW,
    ),
    word(
        "thread_timer_expired",
        optional(number(1, 254)),
        "-",
        "Same with a warning",
        NOW,
        alias_of="timer_expired_backup",
        deprecated="timer_expired_backup",
    ),
    word(
        "garp_extra_if",
        whole_seconds(0, 86400),
        "global",
        "Period of one GARP/NA on each extra interface carrying VIPs",
        NOW,
        leading=("all",),
        area="garp",
    ),
    word(
        "vmac_garp_intvl",
        whole_seconds(0, 86400),
        "-",
        "Old spelling",
        NOW,
        alias_of="garp_extra_if",
        deprecated="garp_extra_if",
        leading=("all",),
        area="garp",
    ),
    word("lower_prio_no_advert", BOOL, "global; strict on", "Do not answer a lower-priority advert", NOW),
    word(
        "higher_prio_send_advert",
        BOOL,
        "global; strict off",
        "As master send one more advert on hearing a higher-priority one",
        NOW,
    ),
    word("owner_ignore_adverts", BOOL, "global; strict owner on", "Address owner ignores received adverts", NOW),
    word(
        "kernel_rx_buf_size",
        number(0, UINT_MAX),
        "kernel/global policy",
        "Receive buffer contribution of this instance (here 1 MiB always)",
        NOTHING,
    ),
    block("authentication", (), "RFC2338 authentication", NOW),
    block("auth_hmac", (), "SHA256 trailer authentication of adverts (project extension)", NOW),
)

AUTHENTICATION = (
    word("auth_type", choice("PASS", "AH"), "none", "Simple password or IPsec AH", NOW),
    word("auth_pass", TEXT, "required", "Shared secret", NOW, secret=True),
)

AUTH_HMAC = (
    word(
        "key",
        (number(1, 255), text("TEXT|hex:HEX|file:PATH|credential:NAME")),
        "-",
        "Defines one key; file readable by group/other is flagged; credential: one that systemd loaded",
        NOW,
        secret=True,
    ),
    word("active_key", number(1, 255), "0 (must be set)", "Key used for sending", NOW),
    word("time_window", whole_seconds(1, 300), "3*advert_int clamped to 5..300", "Allowed clock difference", NOW),
    word(
        "anti_replay",
        choice("time", "monotonic"),
        "time",
        "Replay protection by clock plus counter, or counter only",
        NOW,
    ),
    word(
        "mode",
        choice("enforce", "permissive", "receive-only"),
        "enforce (strict forces it)",
        "Whether unsigned adverts are accepted and whether we sign",
        NOW,
    ),
)

USE_VMAC = (  # what is tried first is what a word without its name can be
    option(
        "MAC",
        MAC,
        "00:00:5e:00:01:VRID (v4) / :02: (v6)",
        "Own MAC instead of the RFC one",
        NOW,
        placeholder=True,
        bare=True,
    ),
    option(
        "name",
        INTERFACE,
        "vrrp.VRID, then vrrp1.VRID... (IPv6 tries vrrp6.VRID first)",
        "Interface name",
        NOW,
        bare=True,
    ),
    option("group", NAME, "parent's group", "Link group of the VMAC", NOW),
    option("netlink_notify_msg", (), "off", "Provoke a netlink message for the parent after VMAC creation", NOW),
)

USE_IPVLAN = (
    option(
        "ADDRESS",
        PREFIX,
        "none; required for IPv4",
        "Source address put on the ipvlan",
        NOW,
        placeholder=True,
        bare=True,
    ),
    option("name", INTERFACE, "generated like a VMAC", "Interface name", NOW, bare=True),
    option("group", NAME, "parent's", "Link group", NOW),
    option("bridge", (), "default mode", "ipvlan bridge flag", NOW),
    option("private", (), "-", "ipvlan private flag", NOW),
    option("vepa", (), "-", "ipvlan vepa flag", NOW),
)

PEER = (
    option("ADDRESS", ADDRESS, "-", "Peer address", NOW, placeholder=True, bare=True),
    option("min_ttl", number(0, 255), "0", "Lowest TTL/hop limit accepted from this peer", NOW),
    option("max_ttl", number(0, 255), "255", "Highest TTL/hop limit accepted", NOW),
)

TRACK_INTERFACE_ENTRY = (
    option("weight", number(-253, 253, clamp=True), "0", "0 = FAULT on down; otherwise priority change", NOW),
    option("reverse", (), "off", "Invert the sense", NOW),
    option("NAME", NAME, "-", "What is tracked", NOW, bare=True, placeholder=True),
)

TRACK_SCRIPT_ENTRY = (
    option("weight", number(-253, 253, clamp=True), "weight of the script", "Override weight", NOW),
    option("reverse", (), "script setting", "Invert / do not invert", NOW),
    option("noreverse", (), "-", "Cancel reverse of the definition", NOW),
    option("NAME", NAME, "-", "What is tracked", NOW, bare=True, placeholder=True),
)

TRACK_FILE_ENTRY = (
    option("weight", number(-254, 254), "weight of the file", "Override weight", NOW),
    option("reverse", (), "file setting", "Invert", NOW),
    option("noreverse", (), "-", "Cancel reverse", NOW),
    option("NAME", NAME, "-", "What is tracked", NOW, bare=True, placeholder=True),
)

TRACK_PROCESS_ENTRY = (
    option("weight", number(-254, 254), "weight of the process", "Override weight", NOW),
    option("reverse", (), "process setting", "Invert", NOW),
    option("noreverse", (), "-", "Cancel reverse", NOW),
    option("NAME", NAME, "-", "What is tracked", NOW, bare=True, placeholder=True),
)

TRACK_BFD_ENTRY = (
    option("weight", number(-253, 253), "weight of the session", "Override weight", NOW),
    option("reverse", (), "session setting", "Invert", NOW),
    option("noreverse", (), "-", "Cancel reverse", NOW),
    option("NAME", NAME, "-", "What is tracked", NOW, bare=True, placeholder=True),
)


SHEETS = (
    Sheet(("vrrp_sync_group",), "tracking", SYNC_GROUP),
    Sheet(("vrrp_instance",), "vrrp", INSTANCE),
    Sheet(("vrrp_instance.authentication",), "vrrp", AUTHENTICATION),
    Sheet(("vrrp_instance.auth_hmac",), "vrrp", AUTH_HMAC),
    Sheet(("vrrp_instance.use_vmac",), "vrrp", USE_VMAC),
    Sheet(("vrrp_instance.use_ipvlan",), "vrrp", USE_IPVLAN),
    Sheet(("vrrp_instance.unicast_peer.PEER",), "vrrp", PEER),
    Sheet(("vrrp_instance.track_interface.ENTRY",), "tracking", TRACK_INTERFACE_ENTRY),
    Sheet(("vrrp_instance.track_script.ENTRY",), "tracking", TRACK_SCRIPT_ENTRY),
    Sheet(("vrrp_instance.track_file.ENTRY",), "tracking", TRACK_FILE_ENTRY),
    Sheet(("vrrp_instance.track_process.ENTRY",), "tracking", TRACK_PROCESS_ENTRY),
    Sheet(("vrrp_instance.track_bfd.ENTRY",), "tracking", TRACK_BFD_ENTRY),
)
