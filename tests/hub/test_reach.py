"""Where the broker may send to and fetch from, as it is configured."""

import orjson
import pytest

from onsil.cli import hub as command
from onsil.configuration import load
from onsil.core.clock import SystemClock
from onsil.hub.http.database import Database
from onsil.hub.http.door import Door, House
from onsil.hub.subscriptions.addresses import Unreachable, usable
from onsil.supervisor import alone


def door(**house):
    return Door(Database("postgresql:///nowhere"), SystemClock(), House("city", **house))


def reaches(reach, host, address):
    try:
        return usable(host, [address], reach) == [address]
    except Unreachable:
        return False


def test_notifications_go_to_public_addresses_and_to_the_hosts_that_are_named():
    reach = door(notify_hosts=["Alarms.Example", " "]).notify_reach
    assert reaches(reach, "any.example", "93.184.215.14")
    assert reaches(reach, "alarms.example", "10.1.2.3")
    assert not reaches(reach, "any.example", "10.1.2.3")
    assert not reaches(reach, "any.example", "127.0.0.1")


def test_context_sources_have_a_list_of_their_own():
    made = door(source_hosts=["other.example"], alias="here")
    reach = made.sources.caller.reach
    assert reaches(reach, "other.example", "10.1.2.3")
    assert not reaches(made.notify_reach, "other.example", "10.1.2.3")


def test_an_open_broker_reaches_private_addresses_but_no_link_local_ones():
    reach = door(open_writing=True).notify_reach
    assert reaches(reach, "any.example", "10.1.2.3")
    assert not reaches(reach, "any.example", "169.254.169.254")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["loopback"]),
        (["--host", "0.0.0.0"], []),  # noqa: S104
        (["--context-host", "*"], ["*"]),
        (["--token", "t"], []),
        (["--context-host", "a.example", "--context-host", "http://10.1.2.3:8087"],
         ["a.example", "http://10.1.2.3:8087"]),
    ],
)  # fmt: skip
def test_contexts_are_fetched_from_this_machine_at_most_unless_a_host_is_named(
    monkeypatch, options, expected
):
    assert told(monkeypatch, options)["house"]["context_hosts"] == expected


def test_hosts_and_pseudonym_are_options(monkeypatch):
    options = ["--source-host", "s.example", "--notify-host", "n.example", "--alias", "here"]
    house = told(monkeypatch, [*options, "--token", "t"])["house"]
    assert house == {
        "context_hosts": [], "source_hosts": ["s.example"], "notify_hosts": ["n.example"],
        "alias": "here",
    }  # fmt: skip


def told(monkeypatch, options):
    """What a worker is told when the command is run with these options."""
    brokers = []
    monkeypatch.setattr(alone, "serve", brokers.append)
    assert command.run(["hub", *options]) == 0
    return orjson.loads(alone._told(brokers[0], "dsn"))


def test_settings_name_the_same():
    conf = load({"ONSIL_HUB_SOURCE_HOSTS": "s.example", "ONSIL_HUB_NOTIFY_HOSTS": "n.example",
                 "ONSIL_HUB_ALIAS": "here"})  # fmt: skip
    assert (conf.hub_source_hosts, conf.hub_notify_hosts, conf.hub_alias) == (
        "s.example", "n.example", "here",
    )  # fmt: skip
