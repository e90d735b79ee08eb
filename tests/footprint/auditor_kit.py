"""Runs, bundles and claims for the auditor's tests, and the judge of exclusive claims."""

import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from footprint_world import CITY, SAR_2018, SEOUL, SOLAR, World, fill, site

from onsil import footprint
from onsil.core.canonical import canonical_bytes, digest
from onsil.core.database import Connection
from onsil.core.periods import Period, local_days
from onsil.footprint.archive import pack, unpack
from onsil.footprint.methodologies.pet_recycling import bottle_grams

JUNE = date(2025, 6, 1)


def quantified(
    world: World, values: list, first: date = JUNE, entity: str = "", days: int = 1, **more
) -> footprint.Run:
    """A run over hourly values (kWh; None is a gap) of a site."""
    period = world.day(first, days)
    key = fill(world.conn, entity or site(1), "generation", values, period.start)
    return run_of(world, key, period, **more)


def run_of(world: World, key: str, period: Period, **more) -> footprint.Run:
    made = footprint.quantify(
        world.conn, CITY, "solar-self-consumption", {"generation": key}, {**SOLAR, **more}, period,
        SAR_2018, "analyst", world.clock,
    )  # fmt: skip
    assert isinstance(made, footprint.Run), made
    return made


def archive(world: World, run: footprint.Run) -> bytes:
    data = footprint.export_archive(world.conn, CITY, run.id)
    assert isinstance(data, bytes)
    return data


def changed_digit(data: bytes, part: str) -> bytes:
    """The archive with one digit of one member changed and every hash made to fit again."""
    members = unpack(data)
    held = json.loads(members.pop("manifest.json"))
    path = next(p for p in members if p.startswith(part))
    text = members[path]
    at = next(i for i in range(len(text) - 1, -1, -1) if chr(text[i]) in "123456789")
    members[path] = text[:at] + (b"9" if text[at : at + 1] != b"9" else b"8") + text[at + 1 :]
    if part == "outputs":
        run = json.loads(members["run.json"]) | {"outputs_sha256": digest(
            json.loads(members[path]))}  # fmt: skip
        entry = json.loads(members["log_entry.json"]) | {"outputs": run["outputs_sha256"]}
        members |= {"run.json": canonical_bytes(run), "log_entry.json": canonical_bytes(entry)}
    return pack(CITY, UUID(held["run"]), members)


class Undo(Exception):
    """Take an example's claims back."""


def ask(conn: Connection, world: World, run: UUID, programme: str, low, high, first, last):
    return footprint.claim(
        conn, CITY, run, programme, (low * 1_000, high * 1_000), "a", world.clock,
        period=world.day(JUNE + timedelta(days=first), last - first),
    )  # fmt: skip


def day_of(number: int) -> Period:
    first = JUNE + timedelta(days=number)
    return local_days(first, first + timedelta(days=1), SEOUL)


def judge(held: dict[UUID, tuple[str, footprint.Claim]], runs: dict[str, footprint.Run]) -> None:
    seen: dict[tuple[str, int, int], list[str]] = {}
    for name, one in held.values():
        days = [d for d in range(4) if day_of(d).overlaps(one.period)]
        for day in days:
            for share in range(one.share_from, one.share_to, 1_000):
                seen.setdefault((name, day, share), []).append(one.programme)
                if name != "building":
                    assert ("building", day, share) not in seen
                else:
                    assert not {("lamps", day, share), ("lamps-2", day, share)} & set(seen)
    assert all(len(programmes) == 1 for programmes in seen.values())
    for name, run in runs.items():
        amounts = [c.lines[0].amount for n, c in held.values() if n == name]
        assert sum(amounts, Decimal(0)) <= run.energy_wh


def grams(weight_kg: Decimal, bottles: Decimal) -> Decimal:
    return bottle_grams(weight_kg, bottles).quantize(Decimal("0.1"))
