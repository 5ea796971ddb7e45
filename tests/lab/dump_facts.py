"""What pyhad's model has for the labels that keepalived prints of globals, routers, groups and trackers (`-d`).

A label that stands neither here nor among those passed over is a disagreement: nothing is left out by oversight.
"""

from __future__ import annotations

import re

from pyhad.common.config.model import Configuration, VrrpInstance
from pyhad.common.config.model.alerts import MailSettings
from pyhad.common.config.model.tracking import (
    ANY_NUMBER,
    ParamMatch,
    SyncGroup,
    TrackerKind,
    TrackFile,
    TrackProcess,
    TrackScript,
)
from tests.lab.dump_reader import Facts, command_text, enabled, program_text, true_false, yes_no

SECOND_NS = 1_000_000_000
INSTANCE: Facts[VrrpInstance] = {
    "VRRP Version": lambda one: str(one.version),
    "Virtual Router ID": lambda one: str(one.vrid),
    "Priority": lambda one: str(one.base_priority),
    "Advert interval": lambda one: (
        f"{one.advertisement_interval_cs * 10} milli-sec"
        if one.version == 3
        else f"{one.advertisement_interval_cs // 100} sec"
    ),
    "Down timer adverts": lambda one: str(one.down_timer_adverts),
    "Interface": lambda one: one.interface,
    "Multicast address": lambda one: one.multicast_group,
    "Gratuitous ARP delay": lambda one: str(one.announcement.master_delay_ns // SECOND_NS),
    "Gratuitous ARP repeat": lambda one: str(one.announcement.master_repeat),
    "Gratuitous ARP refresh": lambda one: str(one.announcement.refresh_ns // SECOND_NS),
    "Gratuitous ARP refresh repeat": lambda one: str(one.announcement.refresh_repeat),
    "Gratuitous ARP lower priority delay": lambda one: str(one.announcement.lower_prio_delay_ns // SECOND_NS),
    "Gratuitous ARP lower priority repeat": lambda one: str(one.announcement.lower_prio_repeat),
    "Send advert after receive lower priority advert": lambda one: true_false(not one.lower_prio_no_advert),
    "Send advert after receive higher priority advert": lambda one: true_false(one.higher_prio_send_advert),
    "Preempt": lambda one: enabled(one.preempt_mode),
    "Accept": lambda one: enabled(one.accept_mode),
    "Promote_secondaries": lambda one: enabled(one.promote_secondaries),
    "Sync group": lambda one: one.sync_group,
    "Preempt delay": lambda one: f"{one.preempt_delay_ns / SECOND_NS:g} secs",
    "Authentication type": lambda one: (
        "IPSEC_AH"
        if one.authentication_header
        else "SIMPLE_PASSWORD"
        if one.authentication_data
        else "none"
    ),
    "Using smtp notification": lambda one: yes_no(one.notify.mails),
    "Backup state transition script": lambda one: program_text(one.notify.backup),
    "Master state transition script": lambda one: program_text(one.notify.master),
    "Fault state transition script": lambda one: program_text(one.notify.fault),
    "Stop state transition script": lambda one: program_text(one.notify.stop),
    "Deleted state transition script": lambda one: program_text(one.notify.deleted),
    "Generic state transition script": lambda one: program_text(one.notify.any_state),
    "Master rx lower pri state transition script": lambda one: program_text(one.notify.master_rx_lower_pri),
    "Notify priority changes": lambda one: true_false(one.notify.priority_changes),
    "Notify deleted": lambda one: "Deleted" if one.notify.reports_deleted else "Fault",
    "Tracked scripts": lambda one: _tracked(one, TrackerKind.SCRIPT, " weight "),
    "Tracked files": lambda one: _tracked(one, TrackerKind.FILE, ", weight "),
    "Tracked processes": lambda one: _tracked(one, TrackerKind.PROCESS, ", weight "),
    "Tracked BFDs": lambda one: _tracked(one, TrackerKind.BFD, ": weight "),
}  # fmt: skip

INSTANCE_PASSED_OVER = re.compile(
    r"Flags|Wantstate|Number of config faults|Use VMAC|Use IPVLAN|Using src_ip|No sockets|Virtual (Routes|Rules|IP)"
    r"|Password|Tracked interfaces|Unicast|Check unicast|VRRP interface tracking|Enforcing strict|Kernel rx buffer"
    r"|Skip checking|Debug level"
)
"""State of the running program, addresses, and what has a text of its own in each (routes, rules)."""

GROUP: Facts[SyncGroup] = {
    "VRRP member instances": lambda one: "; ".join(one.members),
    "Using smtp notification": lambda one: yes_no(one.notify.mails),
    "Backup state transition script": lambda one: program_text(one.notify.backup),
    "Master state transition script": lambda one: program_text(one.notify.master),
    "Fault state transition script": lambda one: program_text(one.notify.fault),
    "Stop state transition script": lambda one: program_text(one.notify.stop),
    "Deleted state transition script": lambda one: program_text(one.notify.deleted),
    "Generic state transition script": lambda one: program_text(one.notify.any_state),
    "Notify priority changes": lambda one: "yes" if one.notify.priority_changes else None,
}
GROUP_PASSED_OVER = re.compile("Num member fault|sync group tracking weight|Tracked ")
"""What a group tracks is among the trackers of its members."""

SCRIPT: Facts[TrackScript] = {
    "Command": lambda one: command_text(one.program),
    "Interval": lambda one: f"{one.interval_ns / SECOND_NS:g} sec",
    "Timeout": lambda one: f"{one.timeout_ns / SECOND_NS:g} sec",
    "Rise": lambda one: str(one.rise),
    "Fall": lambda one: str(one.fall),
    "Script uid:gid": lambda one: f"{one.program.uid}:{one.program.gid}",
}
SCRIPT_PASSED_OVER = re.compile("Weight|Result|Insecure|Init state|Status|VRRP instances|Tracking instances|State")

FILE: Facts[TrackFile] = {"File": lambda one: one.path}
FILE_PASSED_OVER = re.compile("Status|Weight|Tracking instances")

PROCESS: Facts[TrackProcess] = {
    "Process": lambda one: one.argv[0],
    "Min processes": lambda one: str(one.least),
    "Max processes": lambda one: str(one.most) if one.most != ANY_NUMBER else None,
    "Terminate delay": lambda one: f"{one.terminate_delay_ns / SECOND_NS:.6f}s",
    "Fork delay": lambda one: f"{one.fork_delay_ns / SECOND_NS:.6f}s",
    "Full command": lambda one: true_false(one.full_command or one.param_match is not ParamMatch.NONE),
    "Param match": lambda one: {ParamMatch.NONE: None, ParamMatch.EXACT: ""}.get(one.param_match, str(one.param_match)),
}
PROCESS_PASSED_OVER = re.compile("Current processes|Have quorum|Weight|Tracking instances")

MAIL: Facts[MailSettings] = {
    "Smtp server": lambda one: one.host,
    "Smtp server port": lambda one: str(one.port),
    "Smtp server connection timeout": lambda one: str(one.timeout_ns // SECOND_NS),
    "Email notification to": lambda one: "; ".join(one.recipients),
}
GLOBAL: Facts[Configuration] = {
    "Router ID": lambda one: one.vrrp.router_id,
    "Checkers log all failures": lambda one: true_false(one.checker.log_all_failures),
    "LVS flush": lambda one: true_false(one.ipvs.flush_at_start),
    "FIFO write vrrp states on reload": lambda one: true_false(one.vrrp.fifo_states_on_reload),
    "no_checker_emails": lambda one: str(int(not one.checker.mails_each_check)),
    "rs_init_notifies": lambda one: str(int(one.checker.tells_first_up)),
    "Gratuitous ARP interval": lambda one: _interval_us(one, "garp_interval_ns"),
    "Gratuitous NA interval": lambda one: _interval_us(one, "gna_interval_ns"),
    "Script security": lambda one: "enabled" if one.vrrp.script_security else "disabled",
}
GLOBAL_PASSED_OVER = re.compile("")
"""The others are defaults of what is compared where they count, or of processes that pyhad does not have."""


def _interval_us(one: Configuration, name: str) -> str:
    every = [limit for limit in one.vrrp.announce_limits if not limit.interfaces]
    return f"{getattr(every[0], name) / SECOND_NS if every else 0:.6f}"


def _tracked(one: VrrpInstance, kind: TrackerKind, between: str) -> str | None:
    """Of an instance alone: a group's trackers are printed at the group."""
    found = [
        f"{tracker.name}{between}{tracker.weight}{' reverse' if tracker.reverse else ''}"
        for tracker in one.trackers
        if tracker.kind is kind
    ]
    return "; ".join(found) or None
