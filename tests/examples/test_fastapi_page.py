"""The chat for browsers, as people see it: two pages in a real browser."""

import logging
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page, expect

import simstore
from tests.examples.browser import CHROMIUM, chromium
from tests.examples.serving import InProcess, InThread, Served
from tests.servers.fixtures import own_database

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")

expect.set_options(timeout=10_000)

A_SECOND = 1_000
"""In milliseconds, as Playwright has it."""

HOSTILE = '<img src=x onerror="document.title = \'changed\'"><b>bold</b> & "quoted"'


@pytest.fixture(params=["memory", "redis"])
def served(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[Served]:
    """The app: over a store in memory, which outlives the server; and as a process over Redis."""
    if request.param == "redis":
        url = own_database(request.getfixturevalue("valkey_server").url)
        with InProcess(url) as process:
            yield process
        return
    with simstore.connect("memory://") as store, InThread(store) as thread:
        yield thread
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.fixture(scope="module")
def shared_browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    yield shared_browser
    for context in shared_browser.contexts:
        context.close()


class Person:
    """Somebody with a window of their own; `faults` is what the page's script complained of."""

    def __init__(self, browser: Browser, served: Served, name: str) -> None:
        self.page: Page = browser.new_context().new_page()
        self.faults: list[Error] = []
        self.page.on("pageerror", lambda error: self.faults.append(error))  # noqa: PLW0108 — Playwright takes no built-in method
        self.page.goto(served.url)
        self.name = name
        self.status = self.page.get_by_role("status")
        self.log = self.page.get_by_role("log", name="Conversation")
        self.lines = self.log.locator(".text")

    def sit_down(self) -> None:
        """Without a mouse."""
        expect(self.page.get_by_label("Your name")).to_be_focused()
        self.page.keyboard.type(self.name)
        self.page.keyboard.press("Enter")

    def say(self, text: str) -> None:
        self.page.get_by_label("Message").fill(text)
        self.page.keyboard.press("Enter")

    def sees(self, *texts: str, timeout: float = 10_000) -> None:
        """Exactly these, one after the other."""
        expect(self.lines).to_have_text(list(texts), timeout=timeout, use_inner_text=True)


def meet(browser: Browser, served: Served) -> tuple[Person, Person]:
    """Ada and Grace, who were paired."""
    ada, grace = (Person(browser, served, name) for name in ("Ada", "Grace"))
    ada.sit_down()
    expect(ada.status).to_contain_text("Waiting for somebody")
    grace.sit_down()
    for person, other in ((ada, grace), (grace, ada)):
        expect(person.status).to_have_text(f"Connected as {person.name}")
        expect(person.page.get_by_role("heading")).to_have_text(other.name)
    return ada, grace


def test_two_people_talk(browser: Browser, served: Served) -> None:
    ada, grace = meet(browser, served)
    ada.say("Hello, Grace")
    grace.sees("Hello, Grace", timeout=A_SECOND)
    grace.say("Hello, Ada")
    ada.sees("Hello, Grace", "Hello, Ada", timeout=A_SECOND)
    expect(ada.page.get_by_label("Message")).to_have_value("")
    # What looks like markup is text, on both sides and after a reload.
    grace.say(HOSTILE)
    said = ["Hello, Grace", "Hello, Ada", HOSTILE]
    for person in (ada, grace):
        person.sees(*said)
    ada.page.reload()
    ada.sees(*said)
    expect(ada.log.locator("img, b")).to_have_count(0)
    expect(ada.page).to_have_title("A bench in the park")
    ada.say("Still here")
    grace.sees(*said, "Still here", timeout=A_SECOND)
    # Whoever leaves says so, and begins anew; the other one can do the same.
    ada.page.get_by_role("button", name="Leave").click()
    expect(ada.page.get_by_label("Your name")).to_have_value("Ada")
    expect(grace.log).to_contain_text("Ada left the conversation.")
    expect(grace.page.get_by_label("Message")).to_be_hidden()
    assert ada.faults + grace.faults == []


def test_a_server_that_stops_is_shown_and_come_back_to(browser: Browser, served: Served) -> None:
    ada, grace = meet(browser, served)
    ada.say("Before")
    grace.sees("Before")
    served.stop()
    for person in (ada, grace):
        expect(person.status).to_contain_text("Disconnected")
        expect(person.page.get_by_role("button", name="Send")).to_be_disabled()
    served.start()
    for person in (ada, grace):
        expect(person.status).to_have_text(f"Connected as {person.name}")
    grace.say("After")
    for person in (ada, grace):
        person.sees("Before", "After")
        assert person.faults == []


def test_a_conversation_that_is_forgotten_ends_at_the_door(browser: Browser) -> None:
    with simstore.connect("memory://") as store, InThread(store) as served:
        ada, _ = meet(browser, served)
        served.stop()
        (session,) = store.sessions.pks()
        store.sessions.delete(session)
        served.start()
        expect(ada.status).to_have_text("That conversation is no longer kept.")
        expect(ada.page.get_by_label("Your name")).to_have_value("Ada")
        assert ada.faults == []
