"""Credits: issued in whole units, held by serial, moved, used up, and never counted twice."""

from onsil.footprint.credits.actions import action, actions, approve, propose, reject
from onsil.footprint.credits.batches import (
    any_batch,
    batch,
    batch_by_serial,
    batch_entry,
    batches,
    batches_of_period,
    holdings,
    imported,
    imports,
    insufficient,
    key_reused,
    post,
    short_of,
    unknown_batch,
)
from onsil.footprint.credits.conservation import conservation, conservation_all, replay
from onsil.footprint.credits.events import event, event_entry, events
from onsil.footprint.credits.exchanges import retired_elsewhere
from onsil.footprint.credits.holders import a_holder, not_held
from onsil.footprint.credits.issuing import issue, issue_vintages
from onsil.footprint.credits.labels import (
    adjustment,
    declare_adjustment,
    disclose_holder,
    end_label,
    give_label,
    labels,
    labels_of,
    public_names,
)
from onsil.footprint.credits.planned import (
    drop,
    fulfil,
    hand_on,
    plan,
    planned,
    planned_due,
    planned_holders,
    planned_of,
    planned_overdue,
)
from onsil.footprint.credits.pools import pool_of_batch, pools
from onsil.footprint.credits.retiring import (
    RetirementUse,
    retire,
    retirement,
    retirement_entry,
    retirements,
)
from onsil.footprint.credits.reversals import make_good, shortfall
from onsil.footprint.credits.rules import Rule, labels_known
from onsil.footprint.credits.search import (
    Found,
    FoundUnits,
    PublicStep,
    UnitQuery,
    history,
    outside_facts,
    retirements_of,
    search,
    units_of,
)
from onsil.footprint.credits.spans import said as spans_text
from onsil.footprint.credits.terms import (
    ACTIONS,
    ADJUSTMENTS,
    CAD_TRUST,
    CAUSES,
    DECLARATIONS,
    PURPOSES,
    STATES,
    Action,
    Adjustment,
    Conservation,
    Label,
    Move,
    Planned,
    Pool,
    PoolShare,
    Shortfall,
    UnitBlock,
    UnitEvent,
    state_of,
)
from onsil.footprint.credits.transfers import cancel, conversion_limit, expire, transfer
from onsil.footprint.credits.units import (
    ancestors,
    block,
    block_of_serial,
    blocks,
    lock_units,
    merge,
    move,
    split,
)

__all__ = [
    "ACTIONS", "ADJUSTMENTS", "CAD_TRUST", "CAUSES", "DECLARATIONS", "PURPOSES", "STATES",
    "Action", "Adjustment", "Conservation", "Found", "FoundUnits", "Label", "Move", "Planned",
    "Pool", "PoolShare", "PublicStep", "RetirementUse", "Rule", "Shortfall",
    "UnitBlock", "UnitEvent", "UnitQuery", "a_holder",
    "action", "actions", "adjustment", "ancestors", "any_batch", "approve", "batch",
    "batch_by_serial", "batch_entry", "batches", "batches_of_period", "block", "block_of_serial",
    "blocks", "cancel", "conservation", "conservation_all", "conversion_limit",
    "declare_adjustment", "disclose_holder", "drop", "end_label", "event", "event_entry", "events",
    "expire", "fulfil", "give_label", "hand_on", "history", "holdings", "imported", "imports",
    "insufficient", "issue", "issue_vintages", "key_reused", "labels", "labels_known",
    "labels_of", "lock_units", "make_good", "merge", "move", "not_held",
    "outside_facts", "plan", "planned",
    "planned_due", "planned_holders", "planned_of", "planned_overdue",
    "pool_of_batch", "pools",
    "post", "propose", "public_names", "reject", "replay", "retire", "retired_elsewhere",
    "retirement", "retirement_entry", "retirements", "retirements_of", "search", "short_of",
    "shortfall", "spans_text", "split", "state_of", "transfer", "units_of", "unknown_batch",
]  # fmt: skip
