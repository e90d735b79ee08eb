"""What a citizen's own meters show they emitted less, gathered from evidence and claims."""

from decimal import Decimal

from onsil import footprint
from onsil.citizen import carbon
from onsil.citizen.models import User
from onsil.citizen.services.postings import SYSTEM
from onsil.core.clock import Clock
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


def own_carbon(citizen: User, *, clock: Clock = SYSTEM) -> carbon.OwnCarbon | None:
    """The claims behind the citizen's decided evidence, period by period; None without any."""
    city = current_city()
    pieces: dict[object, carbon.Piece] = {}
    with transaction() as tx:
        for decision in rewards.decisions_of(city, citizen.pk, limit=100):
            for evidence in decision.evidence:
                if evidence.claim_id is None or evidence.id in pieces:
                    continue
                claim = footprint.claim_of(tx, city, evidence.claim_id)
                if claim is None:
                    continue
                baseline = evidence.facts.get("baseline_kwh")
                pieces[evidence.id] = carbon.Piece(
                    claim.id, claim.period, claim.co2e_t, evidence.quantity,
                    None if baseline is None else Decimal(str(baseline)),
                )  # fmt: skip
    return carbon.own_carbon(pieces.values(), city_profile(city).zone, clock.now())
