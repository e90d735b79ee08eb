"""A solar site and a project on their way to credits, in a transaction that is rolled back."""

from collections.abc import Callable
from datetime import date

import pytest
from footprint_world import World

from onsil.core.database import Connection
from onsil.core.refusal import Refusal
from onsil.footprint.credits import rules


@pytest.fixture
def world(conn: Connection) -> World:
    return World(conn)


@pytest.fixture
def pooled(monkeypatch):
    """The world's programme pools the buffers of its projects from 2025 on."""
    row = {
        "programmes": ["kr-offset"], "methodologies": ["*"], "pool": "test-pool", "share_bp": 1000,
        "draw": ["own", "pool"], "release": False, "valid_from": date(2025, 1, 1),
        "source": "a test's rule", "maturity": "assumed",
    }  # fmt: skip
    data = {**rules._data(), "buffer": [row]}
    monkeypatch.setattr(rules, "_data", lambda: data)
    return row


@pytest.fixture
def refused() -> Callable[[object, str], Refusal]:
    """Check that something was refused with a code, in both languages, and give the refusal."""

    def check(answer: object, code: str) -> Refusal:
        assert isinstance(answer, Refusal), answer
        assert answer.code == code, answer
        assert answer.ko
        assert answer.en
        return answer

    return check
