"""Pulling from a real HTTP server: paging, watermarks, waiting, and where it must not go."""

import json
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynchronous import in_a_loop
from onsil import devices, hub
from onsil.core.clock import FixedClock
from onsil.core.database import transaction
from onsil.core.refusal import OperationError
from onsil.devices import DeviceSpec
from onsil.devices.collecting.faults import after_failure, next_round
from onsil.devices.collecting.reach import allowed, networks
from onsil.devices.collecting.rest import Window, moved, retry_after, window
from onsil.devices.collecting.rounds import Asker
from onsil.devices.collecting.schedule import memory, rounds
from onsil.devices.drivers import paths
from onsil.hub import SeriesSpec

CITY = "pyeongtaek"
STATION = "urn:ngsi-ld:Station:pyeongtaek:s-1"
T0 = datetime(2025, 3, 1, tzinfo=UTC)
LOCAL = networks("127.0.0.0/8")


class Api(BaseHTTPRequestHandler):
    """Observations by minute, in pages, as the server's `rows` hold them; `fail` answers first."""

    def do_GET(self):
        api = self.server
        asked = urlsplit(self.path)
        query = {k: v[0] for k, v in parse_qs(asked.query).items()}
        api.asked.append((asked.path, query, dict(self.headers)))
        failure = api.fail.pop(0) if api.fail else None
        if failure:
            status, headers = failure
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            return
        since, until = query.get("from", ""), query.get("to", "9")
        rows = [r for r in api.rows if since <= r["at"] <= until]
        size = int(query.get("size", 2))
        begin = int(query.get("cursor") or query.get("offset") or 0)
        begin = (int(query["page"]) - 1) * size if "page" in query else begin
        page = rows[begin : begin + size]
        more = begin + size < len(rows)
        body = {"items": page, "next": str(begin + size) if more else None}
        self.send_response(200)
        if more and api.link:
            self.send_header(
                "Link", f'<{asked.path}?offset={begin + size}&from={since}>; rel="next"'
            )
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


@contextmanager
def api():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.rows, server.asked, server.fail, server.link = [], [], [], False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def minute(n):
    return (T0 + timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


def row(n):
    return {"at": minute(n), "v": n}


class Pull:
    """A registered device that pulls from the server, and what came of it."""

    def __init__(self, dsn, server, **options):
        self.dsn, self.clock = dsn, FixedClock(T0 + timedelta(minutes=10))
        base = {
            "url": f"http://127.0.0.1:{server.server_port}/v1/observations",
            "query": {"from": "{since}", "to": "{until}"},
            "mapping": {"items": "items[*]", "time": "at",
                        "value": [{"path": "v", "attribute": "pm25"}]},
            "watermark": {"start": T0.isoformat(), "overlap_s": 120},
        }  # fmt: skip
        spec = DeviceSpec("api-1", (STATION,), "rest-pull", 60, options={**base, **options})
        with transaction(dsn, CITY) as conn:
            hub.ensure_series(conn, CITY, [SeriesSpec(STATION, "pm25", "count", 60)], self.clock)
            self.device, _ = devices.register_device(conn, CITY, spec, self.clock)
        self.asker = Asker(dsn, self.clock, (), LOCAL, lambda name: f"secret of {name}")

    def once(self):
        return in_a_loop(self.asker.round(self.device))

    @property
    def stored(self):
        with transaction(self.dsn, CITY) as conn:
            return [r[0] for r in conn.execute("SELECT num FROM hub_point ORDER BY ts").fetchall()]

    @property
    def mark(self):
        with transaction(self.dsn, CITY) as conn:
            return memory(conn, CITY, "api-1").get("mark")


PAGING = {
    "page": {"paging": {"kind": "page", "size": 2}},
    "offset": {"paging": {"kind": "offset", "size": 2}},
    "cursor": {"paging": {"kind": "cursor", "next": "next"}},
    "link": {"paging": {"kind": "link"}},
}


@pytest.mark.parametrize("kind", PAGING)
def test_every_page_comes_once(fresh_database, kind):
    with api() as server:
        server.link = kind == "link"
        server.rows = [row(n) for n in range(7)]
        pull = Pull(fresh_database, server, **PAGING[kind])
        assert pull.once() is None
        assert pull.stored == list(range(7))
        assert pull.mark == (T0 + timedelta(minutes=6)).isoformat()
        server.rows += [row(n) for n in range(7, 10)] + [row(5)]
        pull.clock.advance(timedelta(minutes=1))
        assert pull.once() is None
        assert pull.stored == list(range(10))
        assert server.asked[-1][1]["from"] == minute(4)
        with transaction(fresh_database, CITY) as conn:
            assert conn.execute("SELECT count(*) FROM hub_point_revision").fetchone() == (0,)


def test_a_pull_that_breaks_off_begins_again_and_loses_nothing(fresh_database):
    """The second page fails: the first one's readings stay, and so does the watermark."""
    with api() as server:
        server.rows = [row(n) for n in range(6)]
        pull = Pull(fresh_database, server, **PAGING["page"])
        server.fail = [None, (500, {})]
        assert pull.once().code == "http-error"
        assert (pull.stored, pull.mark) == ([0, 1], None)
        with transaction(fresh_database, CITY) as conn:
            assert rounds(conn, CITY)["api-1"].failures == 1
        assert pull.once() is None
        assert pull.stored == list(range(6))


def test_the_watermark_does_not_pass_a_page_that_cannot_be_read(fresh_database):
    with api() as server:
        server.rows = [row(0), row(1), {"at": "2025-03-01T00:0x", "v": 2}]
        pull = Pull(fresh_database, server, **PAGING["page"])
        assert pull.once().code == "malformed"
        assert pull.mark is None
        assert pull.stored == [0, 1]
        with transaction(fresh_database, CITY) as conn:
            assert [q.code for q in hub.quarantine_list(conn, CITY)] == ["malformed"]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heeded(fresh_database, status):
    with api() as server:
        pull = Pull(fresh_database, server)
        server.fail = [(status, {"Retry-After": "900"})]
        assert pull.once().code == "told-to-wait"
        with transaction(fresh_database, CITY) as conn:
            assert rounds(conn, CITY)["api-1"].next_at == pull.clock.now() + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        ({"kind": "bearer", "secret": "s"}, "Authorization", "Bearer secret of s"),
        ({"kind": "header", "secret": "s", "name": "X-Key"}, "X-Key", "secret of s"),
    ],
)
def test_credentials_come_from_the_secrets(fresh_database, auth, header, value):
    with api() as server:
        Pull(fresh_database, server, auth=auth).once()
        assert server.asked[0][2][header] == value


def test_a_key_in_the_query(fresh_database):
    with api() as server:
        Pull(fresh_database, server, auth={"kind": "query", "secret": "s"}).once()
        assert server.asked[0][1]["serviceKey"] == "secret of s"


def test_what_is_not_public_and_not_named_is_not_asked(fresh_database):
    with api() as server:
        pull = Pull(fresh_database, server)
        pull.asker.pull_networks = ()
        assert pull.once().code == "forbidden-address"
        assert server.asked == []


def test_a_redirect_is_not_followed(fresh_database):
    with api() as server:
        pull = Pull(fresh_database, server)
        server.fail = [(302, {"Location": "http://169.254.169.254/"})]
        assert pull.once().code == "redirected"
        assert len(server.asked) == 1


def test_the_next_page_on_another_host_is_not_asked(fresh_database):
    with api() as server:
        server.rows = [row(n) for n in range(3)]
        pull = Pull(fresh_database, server, paging={"kind": "link", "next": "items[0].elsewhere"})
        server.rows[0]["elsewhere"] = "http://127.0.0.2:1/steal"
        assert pull.once().code == "other-host"


def test_windows_catch_up_step_by_step(fresh_database):
    with api() as server:
        server.rows = [row(1), row(8)]
        options = {"watermark": {"start": T0.isoformat(), "overlap_s": 0, "window_s": 180}}
        pull = Pull(fresh_database, server, **options)
        marks = []
        for _ in range(4):
            assert pull.once() is None
            marks.append(pull.mark)
        assert marks == [(T0 + timedelta(minutes=m)).isoformat() for m in (3, 6, 9, 9)]
        assert pull.stored == [1, 8]


@pytest.mark.parametrize(
    ("address", "public", "expected"),
    [
        ("8.8.8.8", True, True), ("8.8.8.8", False, False), ("127.0.0.1", True, False),
        ("10.1.2.3", True, False), ("169.254.169.254", True, False), ("0.0.0.0", True, False),  # noqa: S104
        ("::1", True, False), ("::ffff:127.0.0.1", True, False), ("fd00::1", True, False),
        ("224.0.0.1", True, False), ("100.64.0.1", True, False),
        ("192.0.2.1", True, False), ("2001:4860:4860::8888", True, True),
    ],
)  # fmt: skip
def test_addresses(address, public, expected):
    assert allowed(address, (), public=public) is expected


def test_named_networks():
    assert allowed("10.1.2.3", networks("10.0.0.0/8, fd00::/8"), public=False)
    with pytest.raises(OperationError):
        networks("everywhere")


def test_retry_after_in_both_forms():
    assert retry_after("120", T0) == timedelta(seconds=120)
    assert retry_after("Sat, 01 Mar 2025 00:01:00 GMT", T0) == timedelta(minutes=1)
    assert retry_after("soon", T0) is None


@given(st.integers(1, 86_400), st.integers(1, 60))
def test_waits_are_bounded(interval_s, failures):
    wait = after_failure(T0, interval_s, failures, None) - T0
    assert timedelta(seconds=1) <= wait <= timedelta(hours=1)
    assert T0 < next_round(T0, interval_s) <= T0 + timedelta(seconds=interval_s)


@given(st.integers(0, 5000), st.integers(0, 5000), st.one_of(st.none(), st.integers(-100, 9000)),
       st.integers(0, 600))  # fmt: skip
def test_a_watermark_never_goes_back_nor_beyond_now(mark, ahead, newest, size):
    now = T0 + timedelta(seconds=mark + ahead)
    options = {"watermark": {"window_s": size}}
    asked = window(options, (T0 + timedelta(seconds=mark)).isoformat(), now)
    seen = None if newest is None else T0 + timedelta(seconds=newest)
    after = moved(asked, seen, now)
    assert asked.mark <= after <= now
    assert isinstance(asked, Window)


@pytest.mark.parametrize(
    ("path", "expected"),
    [("a.b", [1]), ("$.a.b", [1]), ("l[*].x", [2, 3]), ("l[1].x", [3]), ("a['b']", [1]),
     ('["d.e"]', [4]), ("nothing.here", []), ("l.x", []), ("", None)],
)  # fmt: skip
def test_paths(path, expected):
    body = {"a": {"b": 1}, "l": [{"x": 2}, {"x": 3}], "d.e": 4}
    assert list(paths.every(body, path)) == ([body] if expected is None else expected)


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_refused(text):
    with suppress(OperationError):
        assert isinstance(paths.steps(text), tuple)
