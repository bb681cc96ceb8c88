"""The service as a whole: its migration, and that its page tells of all that it lists."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import services.console
from chassis.host.entrypoints import declared_by, heard_by
from chassis.store.engine import open_engine
from chassis.store.migrate import migrate
from contracts.catalogue import events
from services.console.domain.queues import OVER, QUEUE_OF_STATE
from services.console.service import FROM_SERVICES, ConsoleService
from services.console.store import tables
from services.intake.domain.states import FINISHED, State

README = Path(services.console.__file__).parent / "README.md"


def test_the_migration_makes_what_the_store_expects(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/migrated.db"
    migrate("console", url)
    with open_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []


def test_every_event_of_a_service_is_heard_and_named_in_the_readme() -> None:
    heard = {event for events_ in heard_by(ConsoleService).values() for event in events_}
    assert heard == {event for event in events() if event.publisher in FROM_SERVICES}
    assert {event.__name__ for event in heard if f"`{event.__name__}`" not in README.read_text()} == set()


def test_every_state_is_in_a_queue_or_needs_nobody() -> None:
    needs_nobody = {*FINISHED, State.FIRST_SESSION_ATTENDED, State.ENDED}
    assert {state.value for state in FINISHED} == OVER
    assert set(QUEUE_OF_STATE) == {state.value for state in set(State) - needs_nobody}


def test_every_command_is_named_in_the_readme() -> None:
    text = README.read_text()
    asked = {one.attribute for one in declared_by(ConsoleService)} - {
        "inbox",
        "timers",
        "story",
        "audit",
        "list_audit",
        "list_own_audit",
        "list_secret_keys",
    }
    assert {name for name in asked if f"`{name}`" not in text and not name.endswith("dead_letters")} == set()
