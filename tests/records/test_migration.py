"""The steps make exactly the tables that the program uses, in both kinds of database."""

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from service.records.database import Database
from service.records.opening import LAST, STEPS, alembic_config, migrate
from service.records.tables import metadata


def test_the_steps_make_the_tables_as_the_program_uses_them(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_that_has_all_steps_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        assert not migrate(connection)


def test_the_steps_follow_one_another_and_their_files_are_named_after_them() -> None:
    steps = list(ScriptDirectory.from_config(alembic_config()).walk_revisions())
    files = sorted(path.name for path in (STEPS / "versions").glob("v*.py"))
    assert [file[1:5] for file in files] == sorted(step.revision for step in steps)
    assert steps[0].revision == LAST
