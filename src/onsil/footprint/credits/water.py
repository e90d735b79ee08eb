"""Water units: a year's metered m³ in the steps of the programme's rule, across issuances."""

from dataclasses import dataclass
from decimal import Decimal, localcontext
from uuid import UUID

from onsil.core.clock import Clock
from onsil.core.database import Connection
from onsil.footprint.credits.events import draft, events, write
from onsil.footprint.credits.rules import Rule, steps_of, tier_rule
from onsil.footprint.credits.vintages import EXACT
from onsil.footprint.issuance import tiered
from onsil.footprint.store import rows
from onsil.footprint.terms import Project


@dataclass(frozen=True)
class Stepped:
    """A metered quantity, what the project's year had before it, and the units it comes to."""

    metered: Decimal
    before: Decimal
    units: Decimal
    rule: Rule


def stepped(
    conn: Connection, city: str, owner: Project, vintage: int, metered: Decimal
) -> Stepped | None:
    """A project's newly metered quantity by the steps of its year; None where no rule has steps."""
    rule = tier_rule(owner.programme, owner.unit, vintage)
    if rule is None:
        return None
    before, steps = metered_in(conn, city, owner.id, vintage), steps_of(rule)
    with localcontext(EXACT):
        units = tiered(before + metered, steps) - tiered(before, steps)
    return Stepped(metered, before, units, rule)


def metered_in(conn: Connection, city: str, project_id: UUID, vintage: int) -> Decimal:
    """What has been issued for of a project's year, as metered; batches older than the steps count
    what they were issued for."""
    found = rows(
        conn,
        """SELECT b.id, b.quantified_t FROM footprint_batch b
        WHERE b.city = %s AND b.project_id = %s AND b.vintage = %s""",
        (city, project_id, vintage),
    )
    known = {
        one.batch_id: Decimal(one.facts["metered"])
        for one in events(conn, city, project_id=project_id, kinds=("stepped",))
    }
    with localcontext(EXACT):
        return sum(
            (known.get(row["id"], Decimal(row["quantified_t"])) for row in found), Decimal(0)
        )


def note(
    conn: Connection, city: str, owner: Project, batch_id: UUID, vintage: int, made: Stepped,
    actor: str, clock: Clock,
) -> None:  # fmt: skip
    """Write down from what a batch's quantity was made."""
    facts = {
        "metered": made.metered, "before": made.before, "units": made.units, "vintage": vintage,
        "steps": made.rule["steps"], "source": made.rule.source, "maturity": made.rule.maturity,
    }  # fmt: skip
    event = draft(
        "stepped", str(batch_id), actor, clock, facts=facts, batch_id=batch_id, project_id=owner.id
    )
    write(conn, city, event)
