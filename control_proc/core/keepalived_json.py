"""keepalived's JSON dump, key by key in its order and with its types (SIG-20 to SIG-26). Pure."""

from __future__ import annotations

import json
from typing import Any

from pyhad.common.config.model import Announcement
from pyhad.common.config.model.tracking import ANY_NUMBER, Notify, Program, TrackerKind
from pyhad.common.states import RouterState
from pyhad.control_proc.core import path_wording, wording
from pyhad.control_proc.core.sight import NUMBERS, Router, Sight

HIDDEN = "********"


def render(sight: Sight) -> str:
    """The document; empty when there is no instance (SIG-12)."""
    routers = sight.routers()
    if not routers:
        return ""
    elements = [{"data": _data(router, sight), "stats": router.statistics} for router in routers]
    if sight.document.json_version == 1:
        return json.dumps(elements, separators=(",", ":"))
    processes = _processes(sight)
    return json.dumps({"vrrp": elements} | ({"track_process": processes} if processes else {}), separators=(",", ":"))


def _data(router: Router, sight: Sight) -> dict[str, Any]:
    config, status, words = router.config, router.status, router.words
    is_master = status.state is RouterState.MASTER
    own_cs = config.advertisement_interval_cs
    return {
        "iname": config.name,
        "dont_track_primary": int(config.dont_track_primary),
        "skip_check_adv_addr": int(config.skip_check_adv_addr),
        "strict_mode": int(words.strict),
        "vmac_ifname": status.vmac,
        "ifp_ifname": status.vmac or config.interface,
        "master_priority": 0 if is_master else status.master_priority,
        "last_transition": round(sight.wall_s(status.since_ns), 6),
        **_announcement(config.announcement),
        "lower_prio_no_advert": int(config.lower_prio_no_advert),
        "higher_prio_send_advert": int(config.higher_prio_send_advert),
        "vrid": config.vrid,
        "base_priority": config.base_priority,
        "effective_priority": status.effective_priority,
        "vipset": is_master,
        "promote_secondaries": words.promote_secondaries,
        "adver_int": wording.interval(own_cs),
        "master_adver_int": wording.interval(status.master_interval_cs or own_cs),
        "accept": int(words.accept),
        "nopreempt": not config.preempt_mode,
        "preempt_delay": wording.seconds(config.preempt_delay_ns),
        "state": NUMBERS[status.state],
        "wantstate": NUMBERS[status.state],
        "version": config.version,
        "smtp_alert": words.smtp_alert,
        "notify_deleted": config.notify.reports_deleted,
        **_scripts(config.notify),
        **_lists(router, sight),
        **_authentication(router),
    }


def _announcement(announcement: Announcement) -> dict[str, int | float]:
    return {
        "garp_delay": wording.seconds(announcement.master_delay_ns),
        "garp_refresh": wording.seconds(announcement.refresh_ns),
        "garp_rep": announcement.master_repeat,
        "garp_refresh_rep": announcement.refresh_repeat,
        "garp_lower_prio_delay": wording.seconds(announcement.lower_prio_delay_ns),
        "garp_lower_prio_rep": announcement.lower_prio_repeat,
    }


def _scripts(notify: Notify) -> dict[str, str]:
    found: dict[str, Program | None] = {
        "script_backup": notify.backup,
        "script_master": notify.master,
        "script_fault": notify.fault,
        "script_stop": notify.stop,
        "script_deleted": notify.deleted,
        "script": notify.any_state,
        "script_master_rx_lower_pri": notify.master_rx_lower_pri,
    }
    return {key: wording.command(program) for key, program in found.items() if program is not None}


def _lists(router: Router, sight: Sight) -> dict[str, list[str]]:
    config = router.config
    is_set = router.status.state is RouterState.MASTER
    scripts = {one.name: wording.command(one.program) for one in (sight.vrrp.scripts if sight.vrrp else ())}
    followed = [one.name for one in config.trackers if one.kind is TrackerKind.INTERFACE]
    lists = {
        "vips": wording.addresses(config, config.addresses, router.status.vmac, is_set=is_set),
        "evips": wording.addresses(config, config.excluded_addresses, router.status.vmac, is_set=is_set),
        "vroutes": [path_wording.route(one) for one in config.routes],
        "vrules": [path_wording.rule(one) for one in config.rules],
        "track_ifp": list(dict.fromkeys([*wording.named_interfaces(config), *followed])),
        "track_script": [scripts.get(one.name, "") for one in config.trackers if one.kind is TrackerKind.SCRIPT],
        "track_process": [one.name for one in config.trackers if one.kind is TrackerKind.PROCESS],
    }
    return {key: found for key, found in lists.items() if found}


def _processes(sight: Sight) -> list[dict[str, Any]]:
    """SIG-26. Without a word of how many there are, nobody has counted yet."""
    reported = {one.name: one for one in (sight.status.vrrp.processes if sight.status.vrrp else ())}
    found = []
    for config in sight.vrrp.processes if sight.vrrp else ():
        seen = reported.get(config.name)
        parameters, most = " ".join(config.argv[1:]), config.most
        found.append(
            {
                "process": config.name,
                **({"parameters": parameters} if parameters else {}),
                "param_match": config.param_match.value,
                "min_processes": config.least,
                **({"max_processes": most} if most != ANY_NUMBER else {}),
                "current_processes": seen.count if seen else 0,
                "have_quorum": bool(seen and seen.has_quorum),
                "weight": config.weight,
                "terminate_delay": wording.seconds(config.terminate_delay_ns),
                "fork_delay": wording.seconds(config.fork_delay_ns),
                "fork_delay_timer_running": bool(seen and seen.fork_delay_runs),
                "terminate_delay_timer_running": bool(seen and seen.terminate_delay_runs),
                "full_command": config.full_command,
            }
        )
    return found


def _authentication(router: Router) -> dict[str, int | str]:
    config = router.config
    if not config.authentication_data:
        return {"auth_type": 0}
    return {"auth_type": 2 if config.authentication_header else 1, "auth_data": HIDDEN}
