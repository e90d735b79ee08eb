"""What the journeys through trace, market and evidence room need: sites, runs, credits, a log."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from demo_town import CITY, People
from portal_world import World

from onsil import proof
from onsil.core.clock import SystemClock
from onsil.tenancy import transaction

_grown: dict[str, World] = {}


class Site(Protocol):
    """What is needed of the served city (the fixture `live_site`)."""

    dsn: str
    folder: Path

    def inside(self) -> AbstractContextManager[People]: ...


def grow(site: Site) -> World:
    """A home and a solar plant with their readings, runs and claims; credits listed and retired.

    Done once a site; citizen2 lives in the home.
    """
    if site.dsn not in _grown:
        with site.inside() as people:
            world = World(site.dsn, company=people.company)
            world.saver = people["citizen2"]
            world.sites()
            world.quantify()
            world.credits()
        _grown[site.dsn] = world
        seal(site)
    return _grown[site.dsn]


def seal(site: Site) -> None:
    """Put what has happened into the tree and sign it, as the proof role does each second."""
    with site.inside(), transaction() as tx:
        signer = proof.load_or_create_signer(site.folder / "keys", CITY)
        proof.sequence(tx, CITY, site.folder / "log", signer, SystemClock())
