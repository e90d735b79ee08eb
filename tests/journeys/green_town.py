"""What the journeys through trace, market and evidence room need: sites, runs, credits, a log."""

import sys
from pathlib import Path

from demo_town import CITY

from conftest import LiveSite
from onsil import proof
from onsil.core.clock import SystemClock
from onsil.tenancy import transaction

sys.path.append(str(Path(__file__).parents[1] / "portal"))

from portal_world import World

_grown: dict[str, World] = {}


def grow(site: LiveSite) -> World:
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


def seal(site: LiveSite) -> None:
    """Put what has happened into the tree and sign it, as the proof role does each second."""
    with site.inside(), transaction() as tx:
        signer = proof.load_or_create_signer(site.folder / "keys", CITY)
        proof.sequence(tx, CITY, site.folder / "log", signer, SystemClock())
