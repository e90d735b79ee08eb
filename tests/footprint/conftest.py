"""A solar site and a project on their way to credits, in a transaction that is rolled back."""

from collections.abc import Callable

import pytest
from footprint_world import World

from onsil.core.database import Connection
from onsil.core.refusal import Refusal


@pytest.fixture
def world(conn: Connection) -> World:
    return World(conn)


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
