"""Claims: one programme's exclusive hold on a physical quantity. PostgreSQL has the last word.

kWh, m³, kg, tree-years and kilometres alike, across compliance, voluntary, citizen, REC, demand
response, contract and inventory programmes: a share of it, for all or a part of a run's period,
with what lies inside what taken into account.
"""

from onsil.footprint.claims.boundaries import Inside, insides, put_inside
from onsil.footprint.claims.journal import Attempt, refused_attempts
from onsil.footprint.claims.making import claim
from onsil.footprint.claims.parts import Part, part_of
from onsil.footprint.claims.programmes import KINDS, UNIT_KINDS, kind_of
from onsil.footprint.claims.reading import Band, Hit, held_at, search, timeline
from onsil.footprint.claims.releasing import Release, release_claim, release_of
from onsil.footprint.claims.sold import SoldOut, sold_out
from onsil.footprint.claims.uses import Use, use, use_many, uses_of

__all__ = [
    "KINDS",
    "UNIT_KINDS",
    "Attempt",
    "Band",
    "Hit",
    "Inside",
    "Part",
    "Release",
    "SoldOut",
    "Use",
    "claim",
    "held_at",
    "insides",
    "kind_of",
    "part_of",
    "put_inside",
    "refused_attempts",
    "release_claim",
    "release_of",
    "search",
    "sold_out",
    "timeline",
    "use",
    "use_many",
    "uses_of",
]
