"""Engine rooms as Django sees them: nothing but their schema, built by `migrate` from SQL files."""

from pathlib import Path
from typing import cast

from django.apps import AppConfig
from django.db import migrations

_ROOMS = Path(__file__).parents[1]


class CoreSchema(AppConfig):
    name = "onsil.core"
    label = "core_schema"


class ProofSchema(AppConfig):
    name = "onsil.proof"
    label = "proof_schema"


class LedgerSchema(AppConfig):
    name = "onsil.ledger"
    label = "ledger_schema"


class HubSchema(AppConfig):
    name = "onsil.hub"
    label = "hub_schema"


class DevicesSchema(AppConfig):
    name = "onsil.devices"
    label = "devices_schema"


class FootprintSchema(AppConfig):
    name = "onsil.footprint"
    label = "footprint_schema"


def sql_migration(
    room: str, name: str, after: list[tuple[str, str]] | None = None
) -> type[migrations.Migration]:
    """A migration that runs `<room>/schema/<name>.sql`.

    It follows the room's previous file by number, or `after`: pairs of (room, name).
    """
    files = sorted(p.stem for p in (_ROOMS / room / "schema").glob("*.sql"))
    position = files.index(name)
    dependencies = [(f"{other}_schema", file) for other, file in after or []]
    if position:
        dependencies.append((f"{room}_schema", files[position - 1]))
    elif room != "core":
        dependencies.append(("core_schema", "0001_tenancy"))
    text = (_ROOMS / room / "schema" / f"{name}.sql").read_text("utf-8")
    body = {
        "dependencies": dependencies,
        "operations": [migrations.RunSQL([(text, None)], migrations.RunSQL.noop)],
    }
    return cast("type[migrations.Migration]", type("Migration", (migrations.Migration,), body))
