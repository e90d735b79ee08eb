"""Programmes of a city: loading the files, and which version is in force on a day."""

from dataclasses import dataclass, field
from datetime import date, datetime

from onsil.core.clock import Clock, SystemClock
from onsil.core.periods import local_day, midnight
from onsil.core.refusal import Refusal
from onsil.ledger import AccountSpec, open_accounts
from onsil.proof import audit
from onsil.rewards import refusals
from onsil.rewards.models import Decision, Programme, ProgrammeVersion
from onsil.rewards.programme_file import read_programme
from onsil.rewards.services.budgets import plan_budget
from onsil.rewards.services.versions import stored_terms
from onsil.rewards.terms import ProgrammeTerms
from onsil.tenancy import transaction
from onsil.tenancy.cities import city as city_profile


@dataclass
class LoadReport:
    """Programme codes whose content was new or known, and the files that could not be used."""

    loaded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    problems: list[Refusal] = field(default_factory=list)


def load_programmes(city: str, *, clock: Clock | None = None, actor: str = "system") -> LoadReport:
    """Take in `programmes/*.toml` of the city's folder. Safe to repeat: nothing is done twice.

    A changed file becomes a new version; the one it replaces is retired, and still rules what was
    decided under it. Budgets are brought to the planned sums by transfers from `external:bank`.
    """
    now = (clock or SystemClock()).now()
    report = LoadReport()
    found: dict[str, list[tuple[ProgrammeTerms, str]]] = {}
    for path in sorted((city_profile(city).folder / "programmes").glob("*.toml")):
        terms = read_programme(path)
        if isinstance(terms, Refusal):
            report.problems.append(terms)
        else:
            found.setdefault(terms.code, []).append((terms, path.read_text("utf-8")))
    for code, versions in found.items():
        with transaction(city) as tx:
            programme = _locked_programme(city, code)
            refusal = _cuts_decided_windows(city, programme, [terms for terms, _ in versions])
            if refusal is not None:
                report.problems.append(refusal)
                continue
            digests = {terms.digest for terms, _ in versions}
            fresh = _take_in(city, programme, versions, now)
            ProgrammeVersion.objects.filter(programme=programme, retired_at=None).exclude(
                digest__in=digests
            ).update(retired_at=now)
            open_accounts(tx, city, _accounts(versions[0][0]))
            for terms, _ in versions:
                for position, line in enumerate(terms.budgets):
                    refusal = plan_budget(tx, city, programme, line, position, actor, now)
                    if refusal is not None:
                        report.problems.append(refusal)
            for digest in fresh:
                after = {"programme": code, "digest": digest}
                audit(tx, city, actor, "programme.load", "programme", code, None, after)
            (report.loaded if fresh else report.unchanged).append(code)
    return report


def programmes(city: str, on: date | None = None) -> list[ProgrammeTerms]:
    """The programmes in force on a local day (today), by code."""
    zone = city_profile(city).zone
    day = on or local_day(SystemClock().now(), zone)
    with transaction(city):
        rows = ProgrammeVersion.objects.filter(retired_at=None).select_related("programme")
        in_force: dict[str, ProgrammeTerms] = {}
        for row in rows.order_by("programme__code", "loaded_at"):
            terms = stored_terms(row)
            if terms.in_force(day):
                in_force[terms.code] = terms
    return list(in_force.values())


def _locked_programme(city: str, code: str) -> Programme:
    Programme.objects.bulk_create([Programme(city=city, code=code)], ignore_conflicts=True)
    return Programme.objects.select_for_update().get(code=code, city=city)


def _cuts_decided_windows(
    city: str, programme: Programme, found: list[ProgrammeTerms]
) -> Refusal | None:
    """Other windows over days already decided would count the same evidence a second time."""
    zone = city_profile(city).zone
    for old in ProgrammeVersion.objects.filter(programme=programme):
        for terms in found:
            if stored_terms(old).cut == terms.cut:
                continue
            decided = Decision.objects.filter(
                version=old, window_end__gt=midnight(terms.effective_from, zone)
            )
            if terms.effective_until is not None:
                end = midnight(terms.effective_until, zone)
                decided = decided.filter(window_start__lt=end)
            last = decided.order_by("-window_end").first()
            if last is not None:
                day = local_day(last.window_end, zone)
                return refusals.windows_decided(terms, stored_terms(old).cut, day)
    return None


def _take_in(
    city: str, programme: Programme, versions: list[tuple[ProgrammeTerms, str]], now: datetime
) -> list[str]:
    """Store contents that are new, bring back ones that had been retired; their digests."""
    fresh: list[str] = []
    for terms, document in versions:
        row, made = ProgrammeVersion.objects.get_or_create(
            city=city,
            programme=programme,
            digest=terms.digest,
            defaults={
                "effective_from": terms.effective_from,
                "effective_until": terms.effective_until,
                "document": document,
                "loaded_at": now,
            },
        )
        if not made and row.retired_at is not None:
            row.retired_at, row.loaded_at = None, now
            row.save(update_fields=["retired_at", "loaded_at"])
            made = True
        if made:
            fresh.append(terms.digest)
    return fresh


def _accounts(terms: ProgrammeTerms) -> list[AccountSpec]:
    return [
        AccountSpec("issuer:point", terms.asset, kind="issuer", minimum=None),
        AccountSpec("reserve:points", "KRW", kind="reserve"),
        AccountSpec("external:bank", "KRW", kind="external", minimum=None),
    ]
