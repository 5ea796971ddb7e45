"""Configuration files made from the keyword table: each a valid frame with words of one block in it, right or wrong.

Deterministic: the same `random.Random` gives the same files. Knows what is right by the table alone; what the real
program says of it is the business of `tests.lab.differential`.
"""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from pyhad.common.config.arguments import SECOND_NS, Argument, Kind
from pyhad.common.config.keyword import Form, Keyword
from pyhad.common.config.keywords import TABLE

KNOWN = Path(__file__).resolve().parents[1] / "data/keywords-2.2.7.txt"
DEFINED = """global_defs {
  script_user root
  enable_script_security
}
vrrp_script s1 {
  script /bin/true
}
track_file f1 {
  file /run/f1
}
vrrp_track_process p1 {
  process sh
}
bfd_instance b1 {
  neighbor_ip 192.0.2.7
  source_ip 192.0.2.1
}
"""
PLAIN = """vrrp_instance i1 {
  interface eth0
  virtual_router_id 51
  virtual_ipaddress {
    192.0.2.100/24
  }
"""
USING = """  track_script {
    s1
  }
  track_file {
    f1
  }
  track_process {
    p1
  }
  track_bfd {
    b1
  }
}
"""
SERVICE = """virtual_server 192.0.2.100 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.0.0.1 80 {
  }
"""
SERVER = """virtual_server 192.0.2.100 80 {
  lb_algo rr
  lb_kind NAT
  protocol TCP
  real_server 10.0.0.1 80 {
"""
_CHECKS = ("TCP_CHECK", "HTTP_GET", "SSL_GET", "SMTP_CHECK", "DNS_CHECK", "MISC_CHECK", "PING_CHECK", "UDP_CHECK",
           "FILE_CHECK", "BFD_CHECK")  # fmt: skip
_NEEDS = {
    "HTTP_GET": "url {\n path /\n }\n",
    "SSL_GET": "url {\n path /\n }\n",
    "MISC_CHECK": "misc_path /bin/true\n",
    "DNS_CHECK": "name example.org\n",
    "FILE_CHECK": "track_file f1\n",
    "BFD_CHECK": "name b1\n",
}


@functools.cache
def frames() -> dict[str, str]:
    """A valid file for each block, `@@` where words of the block stand."""
    plain, using = PLAIN, DEFINED + PLAIN + USING
    second = PLAIN.replace("i1", "i2").replace("51", "52").replace("2.100", "2.102")
    made = {
        "ROOT": f"@@{plain}}}\n",
        "global_defs": f"global_defs {{\nscript_user root\nenable_script_security\n@@}}\n{plain}}}\n",
        "track_group": f"{plain}}}\ntrack_group g1 {{\n@@}}\n",
        "garp_group": f"garp_group {{\ngarp_interval 1\n@@interfaces {{\neth0\n}}\n}}\n{plain}}}\n",
        "vrrp_script": DEFINED.replace("script /bin/true\n", "script /bin/true\n@@") + PLAIN + USING,
        "vrrp_track_process": DEFINED.replace("process sh\n", "process sh\n@@") + PLAIN + USING,
        "track_file": DEFINED.replace("file /run/f1\n", "file /run/f1\n@@") + PLAIN + USING,
        "bfd_instance": DEFINED.replace("source_ip 192.0.2.1\n", "source_ip 192.0.2.1\n@@") + PLAIN + USING,
        "SSL": f"SSL {{\n@@}}\n{SERVICE}}}\n",
        "vrrp_sync_group": f"{DEFINED}{plain}}}\n{second}}}\nvrrp_sync_group g1 {{\ngroup {{\ni1\ni2\n}}\n@@}}\n",
        "vrrp_instance": f"{DEFINED}{PLAIN}@@{USING}",
        "vrrp_instance.authentication": f"{PLAIN}authentication {{\nauth_type PASS\nauth_pass abc\n@@}}\n}}\n",
        "static_ipaddress.ADDR": f"static_ipaddress {{\n@@}}\n{plain}}}\n",
        "static_routes.ROUTE": f"static_routes {{\n@@}}\n{plain}}}\n",
        "static_rules.RULE": f"static_rules {{\n@@}}\n{plain}}}\n",
        "virtual_server_group.ENTRY": "virtual_server_group w1 {\n192.0.2.50 80\n@@}\n"
        + SERVICE.replace("192.0.2.100 80", "group w1") + "}\n",
        "virtual_server": f"global_defs {{\nscript_user root\nenable_script_security\n}}\n{SERVICE}@@}}\n",
        "virtual_server.real_server": f"{DEFINED}{SERVER}@@}}\n}}\n",
        "linkbeat_interfaces": f"linkbeat_interfaces {{\n@@}}\n{plain}}}\n",
        "interface_up_down_delays": f"interface_up_down_delays {{\n@@}}\n{plain}}}\n",
    }  # fmt: skip
    for name, opens in (("virtual_ipaddress", "ADDR"), ("virtual_ipaddress_excluded", "ADDR"),
                        ("virtual_routes", "ROUTE"), ("virtual_rules", "RULE"), ("unicast_peer", "PEER")):  # fmt: skip
        made[f"vrrp_instance.{name}.{opens}"] = f"{PLAIN}{name} {{\n@@}}\n}}\n"
    for kind, name in (("script", "s1"), ("file", "f1"), ("process", "p1"), ("bfd", "b1")):
        made[f"vrrp_instance.track_{kind}.ENTRY"] = using.replace(f"    {name}\n", "@@")
    made["vrrp_instance.unicast_peer.PEER"] = f"{PLAIN}unicast_peer {{\n192.0.2.3\n@@}}\n}}\n"
    made["vrrp_instance.track_interface.ENTRY"] = f"{PLAIN}track_interface {{\n@@}}\n}}\n"
    for check in _CHECKS:
        frame = f"{using}{SERVER}{check} {{\n{_NEEDS.get(check, '')}@@}}\n}}\n}}\n"
        made[f"virtual_server.real_server.{check}"] = frame
    for check in ("HTTP_GET", "SSL_GET"):
        frame = f"{SERVER}{check} {{\nurl {{\npath /\n@@}}\n}}\n}}\n}}\n"
        made[f"virtual_server.real_server.{check}.url"] = frame
    made["virtual_server.real_server.SMTP_CHECK.host"] = f"{SERVER}SMTP_CHECK {{\nhost {{\n@@}}\n}}\n}}\n}}\n"
    return made


# A line to which an option of a value block is added, by block.
_LINES = {
    "ADDR": "192.0.2.101/24", "ROUTE": "198.51.100.0/24 via 192.0.2.254 dev eth0",
    "RULE": "from 192.0.2.0/24 table 100 preference 7",
    "PEER": "192.0.2.2", "track_interface.ENTRY": "eth1", "track_script.ENTRY": "s1", "track_file.ENTRY": "f1",
    "track_process.ENTRY": "p1", "track_bfd.ENTRY": "b1", "linkbeat_interfaces": "eth0",
    "interface_up_down_delays": "eth0 1",
}  # fmt: skip
# Words that fit where the table says only "text".
_WORDS = {
    ("global_defs", "smtp_server"): "127.0.0.1", ("global_defs", "umask"): "IRUSR",
    ("global_defs", "notify_fifo"): "/run/a",
    ("global_defs", "config_save_dir"): "/dev/null/x",  # keepalived's test makes the folder, and leaves it
    ("vrrp_instance", "use_vmac"): "", ("vrrp_instance", "vrf"): "eth0",
    ("vrrp_instance.authentication", "auth_type"): "PASS",
}  # fmt: skip
_TEXTS = {
    Kind.STRING: "word", Kind.PATH: "/tmp/x", Kind.SCRIPT: "/bin/true", Kind.USER: "root", Kind.INTERFACE: "eth0",
    Kind.ADDRESS: "192.0.2.1", Kind.ADDRESS4: "192.0.2.1", Kind.ADDRESS6: "fd00::1", Kind.PREFIX: "192.0.2.1/24",
    Kind.HOST: "192.0.2.1", Kind.MULTICAST4: "224.0.0.18", Kind.MULTICAST6: "ff02::12", Kind.BOOLEAN: "on",
    Kind.STATUS: "200",
    Kind.MD5: "9b3a0c85a887a256d6939da88aabd8cd", Kind.MAC: "02:00:00:00:00:01",
}  # fmt: skip
JUNK = ("x", "-1", "1x", "0x10", "1.5", "99999999999", "1.2.3.4", "fd00::1", "300.1.1.1", "a_very_long_interface_name",
        '""', "on", "0", "1", "255", "256", "1.2345678", "192.0.2.0/33", "yes", "ON", "MASTER", "é")  # fmt: skip


@dataclass(frozen=True)
class Made:
    """One generated file. `words` are the (block, keyword) that it tries."""

    text: str
    words: tuple[tuple[str, str], ...]


def known_rows() -> list[Keyword]:
    """The rows that keepalived 2.2.7 knows and that stand in a block that has a frame."""
    # A namespace that is not there ends keepalived's test with 0 before it has read on.
    left_out = ("net_namespace", "net_namespace_ipvs")
    listed = {tuple(line.split(" ", 1)) for line in KNOWN.read_text().splitlines()}
    homes = frames()
    return [
        row
        for (block, name), row in TABLE.items()
        if (block, name) in listed and block in homes and row.form is not Form.DIRECTIVE and name not in left_out
    ]


def fitting(row: Keyword, argument: Argument) -> list[str]:
    """Values that the table calls right: the ends of the range, or one word of its kind."""
    special = _WORDS.get((row.block, row.name))
    if special is not None:
        return [special]
    if argument.kind is Kind.CHOICE:
        return list(argument.choices)
    if argument.kind in (Kind.NUMBER, Kind.MARK):
        low = 1 if argument.low is None else argument.low
        return [str(low), str(low + 1), str(argument.high if argument.high is not None else low + 9)]
    if argument.kind in (Kind.SECONDS, Kind.MILLISECONDS):
        ends = [argument.low or 0, argument.high if argument.high is not None else 9 * SECOND_NS]
        return [_time(argument, ns) for ns in ends]
    return [_TEXTS[argument.kind]]


def beyond(argument: Argument) -> list[str]:
    """Values just outside the range; empty when there is no range."""
    found: list[str] = []
    step = 1
    if argument.kind in (Kind.SECONDS, Kind.MILLISECONDS):
        step = (SECOND_NS if argument.kind is Kind.SECONDS else SECOND_NS // 1000) // 10**argument.places
    elif argument.kind not in (Kind.NUMBER, Kind.MARK):
        return found
    if argument.low is not None and (argument.kind is Kind.NUMBER or argument.low >= step):
        found.append(_time(argument, argument.low - step) if step > 1 else str(argument.low - step))
    if argument.high is not None:
        found.append(_time(argument, argument.high + step) if step > 1 else str(argument.high + step))
    return found


def _time(argument: Argument, ns: int) -> str:
    unit = SECOND_NS if argument.kind is Kind.SECONDS else SECOND_NS // 1000
    return format((Decimal(ns) / unit).normalize(), "f")


def statement(source: random.Random, row: Keyword, *, wrong: bool) -> str:
    """A line (or small block) of `row`: right as the table has it, or with one thing that may be wrong."""
    values = [source.choice(fitting(row, one)) for one in row.arguments if not one.optional or source.random() < 0.5]
    if wrong:
        values = _spoilt(source, row, values)
    words = " ".join([row.name, *values]).rstrip()
    if row.form is Form.OPTION:
        return f"{_line_of(row.block)} {words}\n" if row.block in frames() else ""
    if row.form in (Form.BLOCK, Form.VALUE_BLOCK):
        return f"{words} {{\n{_inside(row)}}}\n"
    return words + "\n"


def _line_of(block: str) -> str:
    return next((line for end, line in _LINES.items() if block.endswith(end)), "")


def _inside(row: Keyword) -> str:
    if row.name in _CHECKS:
        return _NEEDS.get(row.name, "")
    if row.opens.endswith(tuple(_LINES)):
        return _line_of(row.opens) + "\n"
    return {"real_server": "weight 1\n", "group": "i1\n", "interfaces": "eth1\n", "url": "path /\n",
            "authentication": "auth_type PASS\nauth_pass abc\n", "virtual_server": "real_server 10.0.0.1 80 {\n}\n",
            "virtual_server_group": "192.0.2.9 80\n", "notification_email": "a@example.org\n",
            "bfd_instance": "neighbor_ip 192.0.2.8\n", "track_file": "file /run/x\n"}.get(row.name, "")  # fmt: skip


def _spoilt(source: random.Random, row: Keyword, values: list[str]) -> list[str]:
    if not values or source.random() < 0.1:
        return [*values, source.choice(JUNK)]
    at = source.randrange(len(values))
    outside = beyond(row.arguments[at])
    if outside and source.random() < 0.5:
        return [*values[:at], source.choice(outside), *values[at + 1 :]]
    if source.random() < 0.15:
        return values[:at]
    return [*values[:at], source.choice(JUNK), *values[at + 1 :]]


def make(source: random.Random, rows: list[Keyword]) -> Made:
    """One file: a frame with one to four rows of one block, half of the files with one that may be wrong."""
    first = source.choice(rows)
    same = [row for row in rows if row.block == first.block]
    chosen = [first]
    if source.random() < 0.5:
        chosen += source.sample(same, min(len(same), source.randint(1, 3)))
    wrong = source.random() < 0.5
    body = "".join(statement(source, row, wrong=wrong and at == 0) for at, row in enumerate(chosen))
    text = frames()[first.block].replace("@@", body)
    return Made(text, tuple((row.block, row.name) for row in chosen))
