import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from gatehold.store import Store
from gatehold.store.schema import VERSION, VERSION_TABLE, metadata
from gatehold.store.upgrading import SCRIPTS

TABLES = list(metadata.sorted_tables)


def test_migrations_lead_to_these_tables(store: Store) -> None:
    """The tables of the code and those that the migrations make do not differ in a column, type or index."""
    with store.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": False}
        )
        assert compare_metadata(context, metadata) == []


def test_the_version_is_the_newest_migration() -> None:
    """A migration that nobody announces would never run."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_both_databases_can_have_these_tables(table: Table) -> None:
    """Every table and index compiles for SQLite and PostgreSQL."""
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        assert str(CreateTable(table).compile(dialect=dialect))
        assert all(str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_constraint_has_a_name(table: Table) -> None:
    """A later migration can only drop what has a name."""
    assert all(constraint.name for constraint in table.constraints)
