"""Tickets and the switchboard of live pages."""

import json
from datetime import timedelta

import pytest

from asynchronous import in_a_loop
from onsil.core.announce import announce
from onsil.core.database import Connection
from onsil.web import live
from onsil.web.live import Switchboard, Ticket, make_ticket, parse_notification, read_ticket


def test_a_ticket_tells_city_and_topics() -> None:
    ticket = read_ticket("key", make_ticket("key", "goyang", ["b", "a", "a"]))
    assert ticket == Ticket("goyang", frozenset({"a", "b"}))


@pytest.mark.parametrize("text", ["", "nonsense", "a:b:c"])
def test_nonsense_is_no_ticket(text: str) -> None:
    assert read_ticket("key", text) is None


def test_a_ticket_ends_and_does_not_pass_under_another_key() -> None:
    text = make_ticket("key", "goyang", ["a"])
    assert read_ticket("key", text, timedelta(seconds=-1)) is None
    assert read_ticket("other", text) is None
    body, rest = text.split(":", 1)
    other = make_ticket("key", "pyeongtaek", ["a"]).split(":", 1)[0]
    assert read_ticket("key", f"{other}:{rest}") is None
    assert body != other


def test_both_forms_of_a_notification_are_read() -> None:
    ours = json.dumps({"city": "a", "topic": "sales", "message": {"n": 1}})
    assert parse_notification(ours) == ("a", "sales", {"n": 1})
    rooms = json.dumps({"city": "a", "room": "hub", "stored": 3})
    assert parse_notification(rooms) == ("a", "hub", {"stored": 3})
    for broken in ("", "[]", '{"city": "a"}', "null", "7"):
        assert parse_notification(broken) is None


def test_a_page_that_is_slow_loses_the_oldest_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "QUEUE_MAX", 3)

    async def play() -> list[bytes]:
        board = Switchboard("")
        async with board.listening(Ticket("a", frozenset({"t"}))) as queue:
            for n in range(5):
                board.deliver(json.dumps({"city": "a", "topic": "t", "message": {"n": n}}))
            board.deliver(json.dumps({"city": "b", "topic": "t", "message": {"n": 9}}))
            held = [queue.get_nowait() for _ in range(queue.qsize())]
        board.deliver(json.dumps({"city": "a", "topic": "t", "message": {"n": 5}}))
        assert board._listeners == {}
        return held

    held = in_a_loop(play())
    assert [json.loads(event.split(b"data: ")[1]) for event in held] == [
        {"n": n} for n in (2, 3, 4)
    ]


def test_announcing_too_much_is_a_bug(conn: Connection) -> None:
    announce(conn, "pyeongtaek", "t", {"words": "가" * 2000})
    with pytest.raises(AssertionError):
        announce(conn, "pyeongtaek", "t", {"words": "가" * 3000})
