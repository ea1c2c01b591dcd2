"""The only module that imports Alembic: applies the migrations that a stored schema is behind.

There is no ``alembic.ini``: the scripts are data of this package, and the connection is the caller's, inside its
transaction, so that a migration that fails leaves the old schema.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from gatehold.store.errors import StoreError
from gatehold.store.schema import VERSION

SCRIPTS: Final = Path(__file__).parent / "migrations"


def upgrade(connection: Connection, current: str | None) -> None:
    """Migrate from ``current`` (None: an empty database) to this version. Raises StoreError."""
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise StoreError(
            f"the store has schema {current}, this Gatehold knows {VERSION}: it was written by a newer version"
        )
    command.upgrade(config, VERSION)
