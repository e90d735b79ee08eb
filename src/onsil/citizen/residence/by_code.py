"""Residence by a code that the city hands out: in a letter, or over the counter."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from onsil.citizen import refusals
from onsil.citizen.keys import derived_key
from onsil.citizen.models import ResidenceCode
from onsil.citizen.qr import ALPHABET
from onsil.citizen.residence import Question, Resident
from onsil.core.refusal import Refusal

LENGTH = 10


def new_code() -> str:
    """Ten characters (about 48 bits), written `ABCDE-23456`."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{text[:5]}-{text[5:]}"


def digest(city: str, code: str) -> str:
    """What is kept of a code: a keyed digest, so that the table alone betrays none."""
    plain = "".join(c for c in code.upper() if c.isalnum())
    key = derived_key("onsil.citizen.residence-code")
    return hmac.new(key, f"{city}:{plain}".encode(), hashlib.sha256).hexdigest()


class CodeCheck:
    """Passes whoever enters a code of the city that is not used up or out of date."""

    questions = (
        Question(
            "code",
            "거주 확인 코드",
            "Residence code",
            "시청이 우편으로 보내거나 주민센터에서 드린 10자리 코드입니다.",
            "Ten characters, from the city's letter or the community centre.",
            autocomplete="one-time-code",
            capitals=True,
        ),
    )

    def examine(
        self, city: str, user_id: UUID, answers: Mapping[str, str], now: datetime
    ) -> Resident | Refusal:
        """Take up one use of the code. Refusals: `residence-code-wrong`, `residence-code-spent`."""
        text = answers.get("code", "").strip()
        row = (
            ResidenceCode.objects.select_for_update()
            .filter(city=city, digest=digest(city, text))
            .first()
        )
        if not text or row is None:
            return refusals.residence_code_wrong()
        usable = ResidenceCode.objects.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=now), pk=row.pk, uses_left__gt=0
        )
        if not usable.exists():
            return refusals.residence_code_spent()
        row.uses_left -= 1
        row.save(update_fields=["uses_left"])
        return Resident("code", row.district)
