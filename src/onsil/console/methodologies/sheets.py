"""The installed methodologies as the console lists them."""

from collections.abc import Mapping
from dataclasses import dataclass

from onsil import footprint
from onsil.footprint.methodologies import Methodology, creditable, tables_of


@dataclass(frozen=True)
class Line:
    """A methodology in the list. `runs` counts those of this city, by this version."""

    made: Methodology
    newest: bool
    creditable: bool
    runs: int

    @property
    def inputs(self) -> list[str]:
        return [one.name for one in (*self.made.ROLES, *tables_of(self.made))]


def lines(counts: Mapping[tuple[str, str], int], kind: str = "", text: str = "") -> list[Line]:
    """Every installed version; `kind` is units or rewards, `text` is looked for in name and id."""
    every = footprint.methodologies()
    newest = {made.ID: made.VERSION for made in every}  # by id and version, the last one stays
    found = [
        Line(
            made, newest[made.ID] == made.VERSION, creditable(made),
            counts.get((made.ID, made.VERSION), 0),
        )
        for made in every
    ]  # fmt: skip
    wanted = text.casefold()
    return [
        one
        for one in found
        if kind in ("", "units" if one.creditable else "rewards")
        and wanted in f"{one.made.ID} {one.made.TITLE_KO} {one.made.TITLE_EN}".casefold()
    ]
