"""A whole city in miniature, served by the real roles, and a browser to walk through it.

live_site            its address, its data folder, its people (PASSWORD for all), and
                     `with live_site.inside():` to prepare more through the services
browser_page(390)    a fresh browser window of that width, signed out
sign_in(page, who)   signs somebody in, `citizen1`, `merchant1`, `official1`, `approver1` …
axe(page)            no serious accessibility fault on the page as it stands
shot(page, "name")   keeps a picture in the folder that ONSIL_SCREENSHOTS names, if it does
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

import pytest
from demo_town import CITY, PASSWORD, People, settle_town
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from onsil.supervisor.postgres import EmbeddedPostgres
from onsil.tenancy import city_scope
from own_database import pointed_at

# Playwright keeps an event loop in this thread; Django would take it for an asynchronous program.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

ROOT = Path(__file__).parents[2]
ROLES = ("writer", "live", "web")
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
]  # fmt: skip
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WAIT_MS = 30_000  # other tests may keep the machine busy meanwhile
expect.set_options(timeout=WAIT_MS)


@dataclass
class LiveSite:
    """The served city: where it is, who lives in it, and the way to its database."""

    url: str
    dsn: str
    people: People
    folder: Path
    blocker: object = field(repr=False)

    @contextmanager
    def inside(self) -> Iterator[People]:
        """Django in this process works on the site's database, in its city's scope."""
        with pointed_at(self.dsn, self.blocker), city_scope(CITY):
            yield self.people

    def absolute(self, path: str) -> str:
        return f"{self.url}{path}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: str) -> bool:
    link = HTTPConnection("127.0.0.1", int(port), timeout=2)
    try:
        link.request("GET", "/-/health")
        return link.getresponse().status == 200
    except OSError:
        return False
    finally:
        link.close()


@pytest.fixture(scope="session")
def live_site(
    postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory, django_db_blocker
) -> Iterator[LiveSite]:
    """The city, its roles running as processes of their own on a database of their own."""
    name = f"site_{uuid4().hex[:12]}"
    dsn = postgres.create_database(name, "onsil_template")
    folder = tmp_path_factory.mktemp("site")
    ports = {f"ONSIL_{key}_PORT": str(_free_port()) for key in ("WEB", "LIVE", "HUB", "MQTT")}
    # The secret is the one of this process: codes and tickets made here hold there.
    from django.conf import settings

    environment = {
        **os.environ, **ports, "ONSIL_DATABASE_URL": dsn, "ONSIL_DATA_FOLDER": str(folder),
        "ONSIL_SECRET_KEY": settings.SECRET_KEY, "DJANGO_SETTINGS_MODULE": "onsil.web.settings",
    }  # fmt: skip
    environment.pop("ONSIL_OWNER", None)
    log = (folder / "roles.log").open("wb")
    roles = [
        subprocess.Popen(
            [sys.executable, "-m", "onsil.supervisor.roles", role], env=environment, cwd=ROOT,
            stdout=log, stderr=subprocess.STDOUT,
        )
        for role in ROLES
    ]  # fmt: skip
    url = f"http://localhost:{ports['ONSIL_WEB_PORT']}"
    try:
        with pointed_at(dsn, django_db_blocker), city_scope(CITY):
            people = settle_town(dsn)
        deadline = time.monotonic() + 60
        while not all(_answers(ports[f"ONSIL_{key}_PORT"]) for key in ("WEB", "LIVE")):
            ended = [role for role, p in zip(ROLES, roles, strict=True) if p.poll() is not None]
            if ended or time.monotonic() > deadline:
                log.flush()
                pytest.fail(
                    f"{ended or ROLES}: {(folder / 'roles.log').read_text('utf-8')[-4000:]}"
                )
            time.sleep(0.1)
        yield LiveSite(url, dsn, people, folder, django_db_blocker)
    finally:
        for process in roles:
            process.terminate()
        for process in roles:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
        log.close()
        postgres.drop_database(name)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=os.environ.get("ONSIL_CHROMIUM", "/usr/bin/chromium"), args=FLAGS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def browser_page(browser: Browser, live_site: LiveSite) -> Iterator[Callable[..., Page]]:
    """`browser_page(390)` opens a window; a script error in any of them fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_one(
        width: int = 390, *, language: str = "ko", script: bool = True, worker: bool = False
    ) -> Page:
        phone = width < 768
        context = browser.new_context(
            base_url=live_site.url, viewport={"width": width, "height": 844 if phone else 900},
            has_touch=phone, locale=f"{language}-{'KR' if language == 'ko' else 'GB'}",
            timezone_id="Asia/Seoul", java_script_enabled=script, reduced_motion="reduce",
            service_workers="allow" if worker else "block",
        )  # fmt: skip
        context.set_default_timeout(WAIT_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not faults, faults


@pytest.fixture
def sign_in() -> Callable[[Page, str], None]:
    """Sign somebody in through the sign-in page."""

    def enter(page: Page, who: str) -> None:
        page.goto("/accounts/login/")
        page.fill("input[name=login]", f"{who}@demo.invalid")
        page.fill("input[name=password]", PASSWORD)
        page.locator("form:has(input[name=password]) button[type=submit]").first.click()
        page.wait_for_url(lambda url: "/accounts/login" not in url)

    return enter


@pytest.fixture(scope="session")
def axe() -> Callable[[Page], None]:
    """Fails on serious or critical faults that axe-core finds by WCAG 2.2 AA."""
    source = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

    def check(page: Page) -> None:
        page.evaluate(source)
        found = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", AXE_TAGS
        )
        grave = [
            f"{fault['id']}: {fault['help']} – {[node['html'][:160] for node in fault['nodes']]}"
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert not grave, f"{page.url}\n" + "\n".join(grave)

    return check


@pytest.fixture(scope="session")
def shot() -> Callable[[Page, str], None]:
    """Keeps a picture of the whole page, named and with its width."""
    folder = os.environ.get("ONSIL_SCREENSHOTS", "")

    def keep(page: Page, name: str) -> None:
        if not folder:
            return
        size = page.viewport_size
        width = size["width"] if size else 0
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)

    return keep
