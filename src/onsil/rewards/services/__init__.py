"""What other rooms may ask of this one. Every function names its city first."""

from onsil.rewards.services.budgets import BudgetStatus, budget_status, fund_budget
from onsil.rewards.services.deciding import DecideReport, decide
from onsil.rewards.services.enrolments import enrol, enrolments_of, leave
from onsil.rewards.services.evidence import record_evidence
from onsil.rewards.services.history import (
    AwardTrace,
    AwardView,
    DecisionView,
    EvidenceView,
    Offer,
    WaitingView,
    award_of_transfer,
    awards_of_claim,
    decisions_of,
    offers,
    trace_award,
    waiting_of,
)
from onsil.rewards.services.posting import PostReport, post_awards
from onsil.rewards.services.programmes import LoadReport, load_programmes, programmes

__all__ = [
    "AwardTrace",
    "AwardView",
    "BudgetStatus",
    "DecideReport",
    "DecisionView",
    "EvidenceView",
    "LoadReport",
    "Offer",
    "PostReport",
    "WaitingView",
    "award_of_transfer",
    "awards_of_claim",
    "budget_status",
    "decide",
    "decisions_of",
    "enrol",
    "enrolments_of",
    "fund_budget",
    "leave",
    "load_programmes",
    "offers",
    "post_awards",
    "programmes",
    "record_evidence",
    "trace_award",
    "waiting_of",
]
