"""Joining: proving residence, becoming a citizen here, opening the wallet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from onsil import ledger, proof
from onsil.citizen import throttle
from onsil.citizen.models import Membership, ResidenceCode, Residency, Role, User
from onsil.citizen.residence import Resident, by_code, check_of
from onsil.citizen.services.postings import SYSTEM, local_asset, wallet_account
from onsil.core.clock import Clock
from onsil.core.refusal import Refusal
from onsil.rewards import services as rewards
from onsil.tenancy import current_city, transaction
from onsil.tenancy.cities import city as city_profile


def prove_residence(
    user: User, answers: Mapping[str, str], *, address: str = "", clock: Clock = SYSTEM
) -> Residency | Refusal:
    """Let the city's check decide; a resident becomes a citizen here and gets a wallet.

    `address` is where the request came from, for the limit on guesses. Who is a resident already
    stays one. Refusals: those of the check, `too-many-attempts`.
    """
    city, now = current_city(), clock.now()
    known = Residency.objects.filter(city=city, user=user).first()
    if known:
        return known
    watched = [(throttle.RESIDENCE_BY_PERSON, str(user.pk))]
    if address:
        watched.append((throttle.RESIDENCE_BY_ADDRESS, address))
    with transaction() as tx:
        for limit, subject in watched:
            if (wait := throttle.blocked(limit, subject, now)) is not None:
                return wait
        found = check_of(city_profile(city).data).examine(city, user.pk, answers, now)
        if isinstance(found, Refusal):
            for limit, subject in watched:
                throttle.note(limit, subject, now)
            return found
        throttle.forget(throttle.RESIDENCE_BY_PERSON, str(user.pk))
        residency = _settle_in(user, found, now)
        proof.audit(
            tx, city, f"user:{user.pk}", "residence.proved", "user", str(user.pk), None,
            {"method": found.method, "district": found.district},
        )  # fmt: skip
    return residency


def admit(user: User, method: str, *, district: str = "", clock: Clock = SYSTEM) -> Residency:
    """Make somebody a citizen whose residence was seen to otherwise (counter, import, demo)."""
    return _settle_in(user, Resident(method, district), clock.now())


def _settle_in(user: User, resident: Resident, now: datetime) -> Residency:
    city = current_city()
    with transaction():
        residency, _ = Residency.objects.get_or_create(
            city=city, user=user,
            defaults={"method": resident.method, "district": resident.district,
                      "verified_at": now},
        )  # fmt: skip
        give_role(user, Role.CITIZEN)
        open_wallet(user.pk)
    return residency


def give_role(user: User, role: str, organisation: UUID | None = None) -> Membership:
    """Let a user act in a role in the city at work; for a shop or company, `organisation`."""
    membership, _ = Membership.objects.get_or_create(
        city=current_city(), user=user, role=role, organisation=organisation
    )
    return membership


def open_wallet(person: UUID) -> None:
    """Open a citizen's accounts: local currency, and points of every programme in force."""
    city, code = current_city(), wallet_account(person)
    assets = [local_asset(city)]
    assets += [terms.asset for terms in rewards.programmes(city)]
    with transaction() as tx:
        ledger.open_accounts(
            tx, city, [ledger.AccountSpec(code, asset, "citizen", lots=True) for asset in assets]
        )


def issue_residence_codes(
    count: int, *, actor: str, district: str = "", valid_days: int = 90, clock: Clock = SYSTEM
) -> list[str]:
    """Make codes to hand out, each good for one person; they are told here and never again."""
    city, now = current_city(), clock.now()
    codes = [by_code.new_code() for _ in range(count)]
    with transaction() as tx:
        ResidenceCode.objects.bulk_create(
            ResidenceCode(
                city=city, digest=by_code.digest(city, code), district=district, issued_at=now,
                expires_at=now + timedelta(days=valid_days),
            )
            for code in codes
        )  # fmt: skip
        proof.audit(
            tx, city, actor, "residence.codes-issued", "residence-code", district or "*", None,
            {"count": count, "valid_days": valid_days},
        )  # fmt: skip
    return codes


def ensure_residence_code(
    code: str, *, uses: int, district: str = "", clock: Clock = SYSTEM
) -> None:
    """Have one known code for so many people (a demonstration, an event's desk). Idempotent."""
    city = current_city()
    ResidenceCode.objects.get_or_create(
        city=city, digest=by_code.digest(city, code),
        defaults={"uses_left": uses, "district": district, "issued_at": clock.now()},
    )  # fmt: skip
