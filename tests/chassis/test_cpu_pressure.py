"""Who stands in line for a processor longer than it has one gives way, and only then."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chassis.host import cpu_pressure
from chassis.host.cpu_pressure import BACK_OFF_SECONDS, SAMPLE_SECONDS, CpuPressure, Seen, running_and_waiting


@dataclass
class Machine:
    """What a process would see of itself."""

    at: float = 0.0
    at_work: int = 5_000
    in_line: int = 90_000
    looks: int = 0

    def seen(self) -> Seen:
        self.looks += 1
        return self.at_work, self.in_line

    def passes(self, *, at_work: int, in_line: int, seconds: float = SAMPLE_SECONDS) -> None:
        self.at_work, self.in_line, self.at = self.at_work + at_work, self.in_line + in_line, self.at + seconds


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def here(machine: Machine) -> CpuPressure:
    return CpuPressure(machine.seen, lambda: machine.at)


@pytest.mark.parametrize(("at_work", "in_line", "gives_way"), [(10, 9, False), (10, 10, False), (9, 10, True)])
def test_it_gives_way_if_it_was_longer_in_line_than_at_work(
    machine: Machine, here: CpuPressure, at_work: int, in_line: int, gives_way: bool
) -> None:
    machine.passes(at_work=at_work, in_line=in_line)
    assert here.seconds_to_back_off() == (BACK_OFF_SECONDS if gives_way else 0)


def test_what_was_before_it_began_to_look_counts_for_nothing(here: CpuPressure, machine: Machine) -> None:
    machine.passes(at_work=0, in_line=0)
    assert here.seconds_to_back_off() == 0


def test_it_looks_now_and_then_and_sees_what_has_changed_since(here: CpuPressure, machine: Machine) -> None:
    machine.passes(at_work=1, in_line=2)
    assert here.seconds_to_back_off()
    machine.passes(at_work=1, in_line=0, seconds=SAMPLE_SECONDS / 2)
    before = machine.looks
    assert here.seconds_to_back_off()
    assert machine.looks == before
    machine.passes(at_work=1, in_line=0, seconds=SAMPLE_SECONDS / 2)
    assert here.seconds_to_back_off() == 0


def test_linux_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work, _ = running_and_waiting()
    assert at_work > 0


@pytest.mark.parametrize("content", [None, "", "nobody counts"])
def test_where_nothing_is_counted_nobody_gives_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, content: str | None
) -> None:
    file = tmp_path_factory.mktemp("proc") / "schedstat"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(cpu_pressure, "SCHEDSTAT", file)
    assert running_and_waiting() == (0, 0)
