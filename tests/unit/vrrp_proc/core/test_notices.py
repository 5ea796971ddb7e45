"""What is told of a change."""

from __future__ import annotations

import pytest

from pyhad.common.config.model.tracking import Notify, Program
from pyhad.vrrp_proc.core.notices import Told, of_lower_priority, of_priority, of_state

MASTER, ANY, LOWER = Program(argv=("/m",)), Program(argv=("/n", "a1", "b c"), uid=7), Program(argv=("/l",))
NOTIFY = Notify(master=MASTER, any_state=ANY, master_rx_lower_pri=LOWER)


@pytest.mark.behaviour("NTF-1", "NTF-2", "NTF-20")
def test_the_states_own_program_comes_first_and_gets_no_words() -> None:
    notice = of_state("INSTANCE", "V1", Told.MASTER, 120, NOTIFY)
    assert notice.line == 'INSTANCE "V1" MASTER 120\n'
    assert notice.programs == (
        MASTER, Program(argv=("/n", "a1", "b c", "INSTANCE", "V1", "MASTER", "120"), uid=7),
    )  # fmt: skip


@pytest.mark.behaviour("NTF-20", "GRP-7")
def test_a_state_without_a_program_of_its_own() -> None:
    notice = of_state("GROUP", "G", Told.STOP, 0, NOTIFY)
    assert notice.line == 'GROUP "G" STOP 0\n'
    assert [program.argv[-4:] for program in notice.programs] == [("GROUP", "G", "STOP", "0")]


@pytest.mark.behaviour("NTF-20")
def test_priorities() -> None:
    assert of_priority("V1", 90, is_master=True).line == 'INSTANCE "V1" MASTER_PRIORITY 90\n'
    assert of_priority("V1", 90, is_master=False).line == 'INSTANCE "V1" BACKUP_PRIORITY 90\n'
    lower = of_lower_priority("V1", 120, NOTIFY)
    assert (lower.line, lower.programs) == ('INSTANCE "V1" MASTER_RX_LOWER_PRI 120\n', (LOWER,))
