"""Notifications from the outbox to receivers on real sockets."""

import asyncio
import time
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from asynchronous import in_a_loop
from onsil.core.clock import SystemClock
from onsil.hub import upsert_entities
from onsil.hub.contexts.resolving import Contexts
from onsil.hub.http.database import Database
from onsil.hub.steps import run
from onsil.hub.subscriptions.addresses import PUBLIC, Reach, Unreachable, usable
from onsil.hub.subscriptions.feeding import Feed
from onsil.hub.subscriptions.outbox import enqueue_changes
from onsil.hub.subscriptions.sender import Sender
from onsil.hub.subscriptions.words import Words
from receiving import (
    CITY,
    Receiver,
    broker,
    created,
    prop,
    receiver,
    subscribed,
    subscription,
    told,
    until,
    updated,
)


def test_a_change_reaches_its_receiver_and_is_counted(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            path = await subscribed(client, subscription(there.url))
            await told(fresh_database, created("x", level=prop(4)))
            (body,) = await there.wait()
            assert body["type"] == "Notification"
            UUID(body["id"].removeprefix("urn:ngsi-ld:Notification:"))
            assert body["data"] == [{
                "id": "urn:ngsi-ld:Building:x", "type": "Building",
                "level": {"type": "Property", "value": 4},
            }]  # fmt: skip
            shown = (await client.get(path)).json()
            assert shown["notification"]["timesSent"] == 1
            assert shown["notification"]["status"] == "ok"
            assert {"lastNotification", "lastSuccess"} <= shown["notification"].keys()

    in_a_loop(work())


def test_entities_of_one_transaction_come_together(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            await subscribed(client, subscription(there.url))
            await told(fresh_database, *(created(f"b{n}", title=prop(n)) for n in range(3)))
            (body,) = await there.wait()
            assert len(body["data"]) == 3
            await there.silent()

    in_a_loop(work())


def test_a_dead_endpoint_delays_nobody(fresh_database):
    async def work():
        async with (
            receiver() as quick, receiver(delay_s=60) as dead, broker(fresh_database) as client,
        ):  # fmt: skip
            await subscribed(client, subscription(dead.url))
            await subscribed(client, subscription("http://127.0.0.1:9/none"))
            await subscribed(client, subscription(quick.url))
            for number in range(50):
                await told(fresh_database, created(f"b{number}", title=prop(1)))
            # What waits for the same receiver may come together.
            await until(lambda: sum(len(one.body["data"]) for one in quick.received) == 50)

    in_a_loop(work())


def test_a_failed_one_comes_again_under_its_id_in_order(fresh_database):
    async def work():
        async with receiver(status=503) as there, broker(fresh_database) as client:
            path = await subscribed(client, subscription(there.url))
            first = created(title=prop("x"), level=prop(1))
            await told(fresh_database, first)
            await there.wait()
            await told(fresh_database, updated(first, level=prop(2)))
            shown = (await client.get(path)).json()["notification"]
            assert shown["status"] == "failed"
            assert "lastFailure" in shown
            assert "timesFailed" not in shown
            there.status = 200
            bodies = await there.wait(3)
            assert bodies[0]["id"] == bodies[1]["id"]
            assert [b["data"][0]["level"]["value"] for b in bodies] == [1, 1, 2]
            await asyncio.sleep(0.1)
            shown = (await client.get(path, params={"options": "sysAttrs"})).json()["notification"]
            assert shown["status"] == "ok"
            assert shown["timesSent"] == 2
            assert shown["timesFailed"] == 1

    in_a_loop(work())


@pytest.mark.parametrize("status", [400, 302, 410])
def test_what_is_refused_is_not_sent_again_and_redirects_are_not_followed(fresh_database, status):
    async def work():
        async with receiver(status=status) as there, broker(fresh_database) as client:
            path = await subscribed(client, subscription(there.url))
            await told(fresh_database, created(title=prop("x")))
            await there.wait()
            await there.silent(1.5)
            assert (await client.get(path)).json()["notification"]["status"] == "failed"
            conn = await asyncpg.connect(fresh_database)
            assert await conn.fetchval("SELECT count(*) FROM hub_outbox") == 0
            await conn.close()

    in_a_loop(work())


def test_throttling_loses_no_last_state(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            await subscribed(client, subscription(there.url, throttling=3))
            change = created(level=prop(0))
            await told(fresh_database, change)
            await there.wait()
            for level in range(1, 20):
                change = updated(change, level=prop(level))
                await told(fresh_database, change)
            assert time.time() - there.received[0].at < 3, "too slow a machine for this test"
            bodies = await there.wait(2)
            assert bodies[1]["data"][0]["level"]["value"] == 19
            assert 2.9 < there.received[1].at - there.received[0].at < 5
            await there.silent(1.0)

    in_a_loop(work())


def test_a_paused_subscription_is_silent_and_a_deleted_one_forgotten(fresh_database):
    async def work():
        async with receiver(status=503) as there, broker(fresh_database) as client:
            path = await subscribed(client, subscription(there.url))
            await told(fresh_database, created(level=prop(0)))
            await there.wait()
            assert (await client.patch(path, json={"isActive": False})).status_code == 204
            there.status = 200
            await asyncio.sleep(0.6)
            before = len(there.received)
            await told(fresh_database, created("b2", level=prop(0)))
            await there.silent(1.2)
            assert (await client.patch(path, json={"isActive": True})).status_code == 204
            await told(fresh_database, created("b3", level=prop(0)))
            bodies = await there.wait(before + 1)
            assert bodies[-1]["data"][0]["id"].endswith("b3")
            assert (await client.delete(path)).status_code == 204
            await told(fresh_database, created("b4", level=prop(0)))
            await there.silent()

    in_a_loop(work())


def test_a_change_is_matched_with_what_was_subscribed_a_moment_before_anywhere(connector):
    """Subscriptions made in another process are seen by the next write of this one."""

    async def work(dsn):
        conn = connector(autocommit=True)
        run(conn, enqueue_changes(CITY, [created(level=prop(0))]))
        async with receiver() as there, broker(dsn) as client:
            for number in range(5):
                path = await subscribed(client, subscription(there.url))
                with conn.transaction():
                    run(conn, enqueue_changes(CITY, [created(f"b{number}", level=prop(0))]))
                await there.wait(number + 1)
                await client.delete(path)

    in_a_loop(work(_dsn(connector)))


def _dsn(connector) -> str:
    info = connector(autocommit=True).info
    return f"postgresql://{info.user}@/{info.dbname}?host={info.host}&port={info.port}"


def test_tenants_do_not_hear_of_each_other(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            made = await client.post(
                "/subscriptions", json=subscription(there.url), headers={"NGSILD-Tenant": "osan"}
            )
            assert made.status_code == 201
            await told(fresh_database, created(level=prop(0)))
            await told(fresh_database, created(level=prop(1)), city="osan")
            (body,) = await there.wait()
            assert body["data"][0]["level"]["value"] == 1
            assert there.received[0].headers["NGSILD-Tenant"] == "osan"
            await there.silent()

    in_a_loop(work())


def test_a_row_that_is_committed_after_later_ones_is_not_overlooked(fresh_database):
    async def work():
        async with receiver() as there, broker(fresh_database) as client:
            await subscribed(client, subscription(there.url))
            slow = await asyncpg.connect(fresh_database)
            await slow.execute("SELECT set_config('onsil.city', $1, false)", CITY)
            await told(fresh_database, created("b1", level=prop(0)))
            await there.wait(1)
            change = slow.transaction()
            await change.start()
            await slow.execute(
                "INSERT INTO hub_outbox (city, sub_no, notification_id, at, entries)"
                " SELECT city, sub_no, gen_random_uuid(), now(),"
                ' \'[{"uri": "urn:late", "types": ["urn:T"], "attrs": {}}]\''
                " FROM hub_subscription"
            )
            await told(fresh_database, created("b2", level=prop(0)))
            await there.wait(2)
            await change.commit()
            bodies = await there.wait(3)
            assert bodies[2]["data"][0]["id"] == "urn:late"
            await slow.close()

    in_a_loop(work())


def test_more_than_fits_waits_in_the_outbox(fresh_database, monkeypatch):
    monkeypatch.setattr(Feed, "QUEUE_MAX", 20)

    async def work():
        there = Receiver()
        await there.start()
        await there.stop()
        async with broker(fresh_database) as client:
            await subscribed(client, subscription(there.url))
            for number in range(60):
                await told(fresh_database, created(f"b{number}", level=prop(0)))
            await asyncio.sleep(0.3)
            await there.start()
            try:
                await until(lambda: len(_entities(there)) == 60, 15)
            finally:
                await there.stop()

    in_a_loop(work())


def _entities(there: Receiver) -> set[str]:
    return {entity["id"] for one in there.received for entity in one.body["data"]}


def test_one_sender_works_and_another_takes_over(fresh_database):
    async def work():
        db = Database(fresh_database)
        clock = SystemClock()
        senders = [
            Sender(Database(fresh_database), clock, Words(Contexts(db, clock)),
                   Reach(loopback=True)) for _ in range(2)
        ]  # fmt: skip
        tasks = [asyncio.create_task(one.run()) for one in senders]
        await until(lambda: any(one.at_work for one in senders))
        await asyncio.sleep(0.3)
        assert sum(one.at_work for one in senders) == 1
        first = next(n for n, one in enumerate(senders) if one.at_work)
        tasks[first].cancel()
        await until(lambda: senders[1 - first].at_work)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await db.close()

    in_a_loop(work())


def test_private_addresses_are_not_reached_unless_allowed(fresh_database):
    for bad in ("127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1", "::",
                "::ffff:10.0.0.1", "fe80::1%eth0", "100.64.0.1"):  # fmt: skip
        with pytest.raises(Unreachable):
            usable("host", [bad], PUBLIC)
    assert usable("host", ["10.0.0.1", "8.8.8.8"], PUBLIC) == ["8.8.8.8"]
    with pytest.raises(Unreachable):
        usable("host", ["169.254.169.254"], Reach(private=True, loopback=True))
    assert usable("gateway", ["10.0.0.1"], Reach(hosts=frozenset(["gateway"]))) == ["10.0.0.1"]


def test_periodic_notifications_have_all_that_matches(connector):
    async def work(dsn):
        conn = connector()
        upsert_entities(conn, CITY, [
            {"id": f"urn:ngsi-ld:Building:{CITY}:{n}", "type": "Building", "level": prop(n)}
            for n in range(4)
        ])  # fmt: skip
        conn.commit()
        async with receiver() as there, broker(dsn) as client:
            await subscribed(client, subscription(there.url, timeInterval=0.5, q="level>1"))
            await subscribed(client, subscription(there.url, timeInterval=0.5, q="level>9"))
            begun = time.time()
            bodies = await there.wait(2)
            assert there.received[0].at - begun > 0.4
            for body in bodies:
                assert {e["level"]["value"] for e in body["data"]} == {2, 3}
        again = len(there.received)
        async with receiver(port=there.port) as later, broker(dsn):
            await later.wait(1, 4)
        assert again >= 2

    in_a_loop(work(_dsn(connector)))


def test_readings_of_devices_are_told_with_their_newest_value(connector):
    from onsil.hub import Reading, SeriesSpec, ensure_series, record

    async def work(dsn):
        conn = connector()
        meter = f"urn:ngsi-ld:Meter:{CITY}:m1"
        ensure_series(conn, CITY, [SeriesSpec(meter, "activePower", "W", 60)])
        conn.commit()
        async with receiver() as there, broker(dsn) as client:
            raw = subscription(there.url, entities=[{"type": "Meter"}], q="activePower>5")
            await subscribed(client, raw)
            stamps = [datetime(2026, 3, 1, 12, n, tzinfo=UTC) for n in range(3)]
            for stamp, value in zip(stamps, (1, 7, 9), strict=True):
                readings = [Reading(meter, "activePower", stamp, value)]
                record(conn, CITY, readings, SystemClock())
                conn.commit()
            bodies = await there.wait(2)
            assert [b["data"][0]["activePower"]["value"] for b in bodies] == [7, 9]
            assert bodies[0]["data"][0]["activePower"]["unitCode"] == "WTT"

    in_a_loop(work(_dsn(connector)))
