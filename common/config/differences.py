"""Where pyhad and keepalived 2.2.7 judge a file differently, and why. Data; docs/keepalived.md prints it.

`ours` matches a finding of pyhad that keepalived does not have; `theirs` a message of keepalived that pyhad does not
have. The differential test accepts a disagreement only when every finding of the stricter side is explained here.
"""

from __future__ import annotations

from pyhad.common.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One explained difference. `gap`: pyhad should learn it, it is no decision."""

    id: str
    matter: str
    keepalived: str
    pyhad: str
    why: str
    ours: str = ""
    theirs: str = ""
    gap: bool = False


def _stricter(id: str, matter: str, keepalived: str, pyhad: str, why: str, ours: str) -> Difference:
    return Difference(id=id, matter=matter, keepalived=keepalived, pyhad=pyhad, why=why, ours=ours)


def _looser(id: str, matter: str, keepalived: str, pyhad: str, why: str, theirs: str, gap: bool = False) -> Difference:
    return Difference(id=id, matter=matter, keepalived=keepalived, pyhad=pyhad, why=why, theirs=theirs, gap=gap)


def _gap(id: str, matter: str, keepalived: str, theirs: str) -> Difference:
    return _looser(id, matter, keepalived, "says nothing yet", "to come with the process for BFD", theirs, gap=True)


DIFFERENCES: tuple[Difference, ...] = (
    # ------------------------------------------------------------------------------------------ pyhad is stricter
    _stricter(
        "DIF-1",
        "words after those that a keyword takes",
        "ignored in silence",
        "a warning that shows them",
        "what is written and does nothing is a mistake",
        r"^words after '.*' are ignored",
    ),
    _stricter(
        "DIF-2",
        "old spellings",
        "some are named as deprecated, some not",
        "each is named, with the new word",
        "one rule for all",
        r"^'.*' is deprecated$|^host is deprecated",
    ),
    _stricter(
        "DIF-3",
        "a value that is not of its kind",
        "some keywords take any text, or only log",
        "an error with what is expected",
        "a mistyped value must not pass a config test",
        r"^[-\w.]+: '.*' is not (an? |one of |on, )|^unknown option '.*' in |names no program|is unknown, and ignored",
    ),
    _stricter(
        "DIF-4",
        "a group with entries of both families",
        "accepted",
        "a warning that one family is served",
        "the other half would be missed in silence",
        r"has IPv4 and IPv6 entries",
    ),
    _stricter(
        "DIF-5",
        "a keyword without its parameter",
        "some handlers do without",
        "an error with the usage",
        "one rule for all",
        r"^'.*' is missing its parameter",
    ),
    _stricter(
        "DIF-6",
        "the same address or peer twice in one instance",
        "accepted",
        "the second is ignored with a warning",
        "one of the two lines does nothing",
        r"has (it|this peer) already$",
    ),
    _stricter(
        "DIF-13",
        "`unicast_fault_no_peer` without peers, `track_src_ip` without a source address",
        "accepted",
        "a warning",
        "what is written and does nothing, or keeps the instance down, should be known",
        r"has no unicast_peer|names no source address",
    ),
    _stricter(
        "DIF-14",
        "a `regex_max_offset` below `regex_min_offset`",
        "accepted",
        "an error",
        "nothing can match",
        r"is below regex_min_offset",
    ),
    _stricter(
        "DIF-7",
        "a `virtual_server_group` or `virtual_server` that stands twice",
        "accepted",
        "an error naming both lines",
        "one would win in silence",
        r"^virtual_server(_group)? .*(is defined twice|twice)|is (served|used) twice",
    ),
    _stricter(
        "DIF-8",
        "a script that stands twice, one of them empty",
        "the empty one does not count",
        "a warning, as for any two",
        "a reader would not know which one counts",
        r"^'(notify|quorum|startup|shutdown)\w*' stands twice in ",
    ),
    _stricter(
        "DIF-9",
        "a script, file or process to track that is defined twice",
        "accepted",
        "a warning naming both lines",
        "one would win in silence",
        r"^(vrrp_script|(vrrp_)?track_(file|process)|vrrp_track_process) '.*' is defined twice",
    ),
    _stricter(
        "DIF-10",
        "`regex_*` without `regex`, `nftables_ipvs_*` without `nftables_ipvs`",
        "accepted",
        "ignored with a warning",
        "what is written and does nothing is a mistake",
        r"^(regex_\w+ is ignored: the url has no regex|nftables_ipvs_\w+ is ignored: )",
    ),
    _stricter(
        "DIF-11",
        "a file of `SSL` that cannot be read",
        "found out when the first check runs",
        "an error",
        "a check without its certificate is a server taken out",
        r"^SSL \w+: cannot read",
    ),
    _stricter(
        "DIF-12",
        "a script that nothing tracks, or that shall run as nobody who exists",
        "dropped in silence, or not looked up",
        "a warning that it does not run",
        "what is written and does nothing is a mistake",
        r"does not run: no instance tracks it$|^\w+: there is no user or group ",
    ),
    _stricter(
        "DIF-61",
        "options that an address of its family does not have",
        "ignored in silence",
        "a warning",
        "what is written and does nothing is a mistake",
        r"^(-nodad|home|mngtmpaddr|scope|label|broadcast) is ignored: only IPv[46] addresses have",
    ),
    _stricter(
        "DIF-62",
        "routes and rules: names that nobody knows, host bits, times out of range, ways said twice, lines said twice",
        "some are accepted, or cut in silence",
        "a warning, or an error where the line has no sense",
        "the kernel would refuse it when it is needed",
        r"is left out: .* is no number up to|is no network: |is out of range \(0\.2 s to|has nexthops, and a way of its"
        r"|says the same as line|is no mark of 32 bits|as is ignored|the type of a route stands before",
    ),
    _stricter(
        "DIF-64",
        "`vrrp_rlimit_rttime` and its like below a second",
        "accepted",
        "raised to a second, with a warning",
        "less would end a process that starts or reloads",
        r"_rlimit_rttime is raised to 1000000",
    ),
    _stricter(
        "DIF-65",
        "flags of another scheduler than `lb_algo` names",
        "accepted",
        "ignored with a warning",
        "what is written and does nothing is a mistake",
        r"is ignored: it belongs to lb_algo",
    ),
    _stricter(
        "DIF-66",
        "the port of a server by `TUN` or `DR`, where a later `lb_kind` changes the method",
        "the method that stood above the server counts",
        "that of the service counts, with the warning about its port",
        "a reader would not know which one counts",
        r"^real_server: with lb_kind (TUN|DR) the port is that of the service",
    ),
    _stricter(
        "DIF-68",
        "`BFD_CHECK`",
        "acts",
        "a warning: the server stays as it began",
        "nothing speaks BFD yet, and a server that is never checked is not to be one by oversight",
        r"^BFD_CHECK: nothing speaks BFD yet",
    ),
    # -------------------------------------------------------------------------------------- keepalived is stricter
    _looser(
        "DIF-63",
        "prefix length of a `peer`, an IPv6 gateway of an IPv4 route, `inet6` in rules, single ports",
        "2.2.7 refuses them",
        "as in 2.4",
        "the newest version counts",
        r"Invalid peer address|VRRP parsed invalid IP|Cannot mix IPv4 and IPv6|Unknown rule option|Invalid rule action"
        r"|cannot track route|is not a VRF|[Ii]nvalid [sd]port",
    ),
    _looser(
        "DIF-20",
        "interface that does not exist",
        "refuses",
        "the instance waits in FAULT",
        "interfaces come and go",
        r"interface .* (doesn't|does not) exist|Non-existent interface|[Uu]nknown interface|VRF .* not found",
    ),
    _looser(
        "DIF-21",
        "user, group or program of a script",
        "looked up while reading",
        "looked up when the script is run",
        "a config test needs no rights, and the file is the same on all nodes",
        r"[Uu]nable to (set|resolve) |Error setting global script|Invalid (startup|shutdown) script|uid/gid"
        r"|not found/accessible|track script s\d not found|[Ii]nvalid.*user|script.*(user|group)",
    ),
    _looser(
        "DIF-22",
        "CPU numbers",
        "checked against this machine",
        "any",
        "the file is the same on all nodes",
        r"cpu_id|outside range \[0, \d+\]$",
    ),
    _looser(
        "DIF-23",
        "`vrrp_iptables`, `vrrp_ipsets`",
        "Debian's build has none and says so",
        "accepted, without meaning",
        "pyhad needs no firewall for it",
        r"iptables not supported",
    ),
    _looser(
        "DIF-24",
        "host name of `smtp_server`",
        "resolved while reading",
        "any text",
        "a resolver must not delay the start",
        r"Invalid smtp server",
    ),
    _looser(
        "DIF-26",
        "edges of some ranges",
        "2.2.7 has narrower ones than 2.4",
        "those of 2.4",
        "ranges are those of the newest version",
        r"vrrp script (interval|timeout)|invalid number '\d+\.\d+'|outside range \[0\.000000, 2147\.483647\]"
        r"|garp_group g\w+_interval '4294\.967295' invalid",
    ),
    _looser(
        "DIF-27",
        "`config_save_dir`",
        "made while testing",
        "only looked at",
        "a test changes nothing",
        r"config_save_dir",
    ),
    _looser(
        "DIF-28",
        "process names over 15 characters",
        "cut, with a message",
        "accepted, without meaning",
        "processes of pyhad have names of their own",
        r"^Process name .* more than",
    ),
    _looser(
        "DIF-29",
        "`sorry_server_inhibit` before `sorry_server`",
        "ignored",
        "order does not matter",
        "nothing is gained by an order",
        r"sorry_server (inhibit|forwarding) used",
    ),
    _looser(
        "DIF-30",
        "scripts without `enable_script_security`",
        "the test ends with 6",
        "`pyhadctl config lint` says so where no user is named",
        "such files are the rule, and run",
        r"SECURITY VIOLATION",
    ),
    _looser(
        "DIF-51",
        "weights of a service that sum to 0",
        "the quorum is lowered to 0: the service counts as served, by nobody",
        "the quorum stays 1, so that the sorry server serves",
        "who serves nobody has no quorum",
        r"total weight of real servers 0|quorum 0; setting hysteresis",
    ),
    # ------------------------------------------------------------------------------------------------- to be learnt
    _gap("DIF-48", "BFD sessions", "checks families and uniqueness", r"BFD|bfd|outside integer range"),
)


def difference_tables() -> str:
    """The differences as markdown, decisions and gaps apart."""
    parts = []
    for gap, title in ((False, "Decided"), (True, "To be learnt")):
        rows = [one for one in DIFFERENCES if one.gap is gap]
        parts.append(f"### {title}\n\n| id | matter | keepalived | pyhad | why |\n|---|---|---|---|---|")
        parts[-1] += "".join(
            f"\n| {one.id} | {one.matter} | {one.keepalived} | {one.pyhad} | {one.why} |" for one in rows
        )
    return "\n\n".join(parts) + "\n"
