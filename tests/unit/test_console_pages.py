import re
from collections.abc import AsyncIterator

import httpx
import pytest

from services.console import pages
from services.console.accounts import Ended, Entry, SetAside
from services.console.api import Ports, create_api
from services.console.board import Board, Since, read_since
from services.console.gate import Gate
from services.console.login import Account, make_account
from services.console.model import Model
from services.console.overview import Hourly, Overview, look_over, minute_series
from services.console.pages import Reader
from services.console.picture import bars, draw, polyline, width_of
from services.console.words import Words
from services.contract.topology import CHANGES

NOW = 500_000 * 3600.0 + 130
PASSWORD = "invented"
ACCOUNT = make_account("operator", PASSWORD, b"s" * 16, b"k" * 32)
HTML = {"accept": "text/html"}
HARM = "<script>alert(1)</script>"


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def model(**providers: str) -> Model:
    made = Model()
    made.providers = providers or {"gar": HARM, "lecture": "Lecture"}
    made.look({}, NOW)
    return made


def delivered(provider: str, number: int = 1) -> Entry:
    return Entry("connectors", f"provisioning.operations.{provider}.v1", 0, 5, number, NOW,
                 (Ended(f"{provider}/C", "released", "delivered", number),))  # fmt: skip


class Desk:
    """A console without Kafka, and a browser that keeps cookies."""

    def __init__(self) -> None:
        self.model, self.clock, self.defects = model(), Clock(), list[BaseException]()
        self.account: Account | None = ACCOUNT
        self.board = Board(self.model, "boot", self.clock)
        gate = Gate(lambda: self.account, self.clock)
        api = create_api(Ports(self.model, self.board, gate, self.clock, self.defects.append))
        transport = httpx.ASGITransport(api, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://console", headers=HTML)

    async def token(self, path: str = "/login") -> str:
        found = re.search(r'name="token" value="([0-9a-f]+)"', (await self.client.get(path)).text)
        return found[1] if found else ""

    async def enter(self, password: str = PASSWORD, name: str = "operator") -> httpx.Response:
        form = {"name": name, "password": password, "token": await self.token()}
        return await self.client.post("/login", data=form)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    async with made.client:
        yield made


async def test_stranger_is_sent_to_the_door_and_is_told_nothing(desk: Desk) -> None:
    for path in ("/", "/reasons"):
        answer = await desk.client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    for path in ("/minutes.json", "/stream", "/reasons/stream"):
        answer = await desk.client.get(path, headers={"accept": "*/*"})
        assert (answer.status_code, answer.text) == (401, "sign-in\n")


async def test_session_cookie_is_for_no_script_and_no_other_site(desk: Desk) -> None:
    answer = await desk.enter()

    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert (await desk.client.get("/")).status_code == 200


async def test_wrong_password_and_wrong_name_are_told_the_same(desk: Desk) -> None:
    answers = [await desk.enter("wrong"), await desk.enter(PASSWORD, "somebody")]

    assert [one.status_code for one in answers] == [403, 403]
    assert all("Wrong account or password." in one.text for one in answers)
    assert (await desk.client.get("/")).status_code == 303


async def test_ten_wrong_passwords_close_the_door_for_a_minute(desk: Desk) -> None:
    for _ in range(10):
        assert (await desk.enter("wrong")).status_code == 403
    assert (await desk.enter()).status_code == 429

    desk.clock.now += 61
    assert (await desk.enter()).status_code == 303


@pytest.mark.parametrize("token", [pytest.param("", id="none"), pytest.param("0" * 64, id="made up")])
async def test_form_of_another_site_is_not_taken(desk: Desk, token: str) -> None:
    await desk.token()

    answer = await desk.client.post("/login", data={"name": "operator", "password": PASSWORD, "token": token})

    assert answer.status_code == 403
    assert "sanctuaire-session" not in desk.client.cookies


async def test_password_that_is_posted_to_a_path_with_a_slash_too_many_is_sent_nowhere_else(desk: Desk) -> None:
    answer = await desk.client.post("/login/", data={"password": PASSWORD}, headers={"host": "elsewhere.example.test"})

    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_only_the_own_form_signs_out(desk: Desk) -> None:
    await desk.enter()
    await desk.client.post("/logout", data={"token": "0" * 64})
    assert (await desk.client.get("/")).status_code == 200

    await desk.client.post("/logout", data={"token": await desk.token("/")})
    assert (await desk.client.get("/")).status_code == 303


async def test_new_password_ends_every_session_and_an_unreadable_account_lets_nobody_in(desk: Desk) -> None:
    await desk.enter()
    desk.account = make_account("operator", "another", b"s" * 16, b"l" * 32)
    assert (await desk.client.get("/")).status_code == 303

    desk.account = None
    assert (await desk.enter("another")).status_code == 403


async def test_every_answer_forbids_what_is_inline_and_framing(desk: Desk) -> None:
    await desk.enter()
    for path in ("/", "/reasons", "/login", "/nothing", "/static/console.css", "/minutes.json"):
        headers = (await desk.client.get(path)).headers
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"
        assert ("no-store" in headers["cache-control"]) == (not path.startswith("/static"))


async def test_what_is_not_there_and_what_fails_say_nothing_of_what_was_asked(desk: Desk) -> None:
    await desk.enter()
    missing = await desk.client.get("/zorvelquimur")
    desk.model.counts = None  # type: ignore[assignment]  # a defect
    failed = await desk.client.get("/minutes.json")

    assert (missing.status_code, failed.status_code) == (404, 500)
    assert "zorvelquimur" not in missing.text
    assert "There is no such page." in missing.text
    assert "Something failed here." in failed.text
    assert [type(error) for error in desk.defects] == [AttributeError]


async def test_language_and_appearance_are_remembered(desk: Desk) -> None:
    await desk.enter()
    assert (await desk.client.get("/?lang=fr")).status_code == 303
    await desk.client.get("/?theme=dark")

    page = (await desk.client.get("/")).text
    assert '<html lang="fr" data-theme="dark">' in page
    assert "Vue d’ensemble" in page


async def test_what_is_no_provider_no_end_and_no_type_of_school_chooses_nothing(desk: Desk) -> None:
    await desk.enter()

    page = (await desk.client.get("/reasons", params={"provider": HARM, "end": HARM, "school": HARM})).text

    assert HARM not in page
    assert 'sse-connect="/reasons/stream?provider=&amp;end=&amp;school="' in page


async def test_choice_stays_chosen_on_the_page_and_on_its_stream(desk: Desk) -> None:
    await desk.enter()

    page = (await desk.client.get("/reasons", params={"provider": "gar", "school": "upper-secondary"})).text

    assert 'sse-connect="/reasons/stream?provider=gar&amp;end=&amp;school=upper-secondary"' in page
    assert '<option value="upper-secondary" selected>lycée</option>' in page


def overview(made: Model) -> Overview:
    return look_over(made, Hourly(), NOW)


def test_name_that_means_harm_is_shown_as_text_in_pages_and_fragments() -> None:
    reader = Reader("en", "auto", "token")
    page = pages.overview_page(reader, overview(model()), "/stream")
    fragment = pages.provider_row("en", overview(model()).rows[0])

    for text in (page, fragment):
        assert HARM not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_page_is_sent_only_what_reads_otherwise() -> None:
    made, clock = model(), Clock()
    board = Board(made, "boot", clock)
    assert 'id="p-gar"' in board.changed("en", None)
    seen = board.now
    clock.now += 1
    assert board.changed("en", seen) == ""

    made.hear([delivered("lecture", 7)], [], NOW)
    clock.now += 1
    changed = board.changed("en", seen)

    assert 'id="p-lecture"' in changed
    assert 'id="p-gar"' not in changed
    assert board.now.version == seen.version + 1
    assert board.changed("en", board.now) == ""


def test_nothing_new_is_rendered_within_three_quarters_of_a_second() -> None:
    made, clock = model(), Clock()
    board = Board(made, "boot", clock)
    board.changed("en", None)
    seen = board.now
    made.hear([delivered("lecture")], [], NOW)

    clock.now += 0.7
    assert board.changed("en", seen) == ""
    clock.now += 0.1
    assert board.changed("en", seen) != ""


def test_page_of_another_process_is_sent_everything_and_other_providers_have_another_roster() -> None:
    made = model()
    board = Board(made, "boot", Clock())
    board.changed("en", None)

    assert 'id="p-gar"' in board.changed("en", Since(board.roster, "before", 999))
    before = board.roster
    made.providers = {"gar": "GAR"}
    assert board.roster != before


def test_page_that_names_a_roster_shows_it_however_lately_the_one_before_was_shown() -> None:
    """A console that has just started knows no provider yet, and a moment later it does."""
    made = model()
    known, made.providers = made.providers, {}
    board = Board(made, "boot", Clock())
    before = board.now.roster, [row.provider for row in board.overview().rows]
    made.providers = known

    assert before[1] == []
    assert board.now.roster != before[0]
    assert {row.provider for row in board.overview().rows} == set(known)
    assert 'id="p-gar"' in board.changed("en", None)


@pytest.mark.parametrize(
    ("said", "since"),
    [
        pytest.param("abc.boot.12", Since("abc", "boot", 12), id="as a board writes it"),
        pytest.param("", None, id="empty"),
        pytest.param("a.b.-1", None, id="a negative version"),
        pytest.param("a.b.1e9", None, id="no number"),
        pytest.param("a.b." + "9" * 16, None, id="too long"),
    ],
)
def test_since_is_read_as_it_was_written_or_not_at_all(said: str, since: Since | None) -> None:
    assert read_since(said) == since


def test_trouble_comes_first_and_quarantine_of_this_hour_is_one() -> None:
    made = model(gar="GAR", zebra="Zebra")
    made.hear([], [SetAside("connectors", "provisioning.operations.zebra.v1", "not-json", NOW)], NOW)

    rows = overview(made).rows

    assert [(row.provider, row.level, row.causes) for row in rows] == [
        ("zebra", "warning", ("quarantine",)), ("gar", "ok", ()),
    ]  # fmt: skip
    assert overview(made).ends == {"quarantined": 1}


def test_minutes_go_back_a_quarter_of_an_hour_oldest_first() -> None:
    made = model()
    made.hear([delivered("gar", 3), Entry("filtering", CHANGES, 0, 9, 10, NOW, ())], [], NOW)

    series = minute_series(made.counts, NOW)

    assert len(series["at"]) == 15
    assert series["at"][-1] == 500_000 * 3600 + 120
    assert (series["filtering"][-1], series["released"][-1], series["erased"][-1]) == (10, 3, 0)


@pytest.mark.parametrize(
    ("minutes_ago", "shown"),
    [pytest.param(5, 15, id="shortly"), pytest.param(30, 32, id="half an hour"), pytest.param(59, 60, id="an hour")],
)
def test_minutes_begin_before_what_is_known_and_are_an_hour_at_most(minutes_ago: int, shown: int) -> None:
    made = model()
    made.hear([Entry("filtering", CHANGES, 0, 9, 10, NOW - 60 * minutes_ago, ())], [], NOW)

    series = minute_series(made.counts, NOW)

    assert len(series["at"]) == shown
    assert series["filtering"].index(10) == shown - 1 - minutes_ago


def test_drawing_shows_eight_providers_and_says_how_many_more_there_are() -> None:
    picture = draw(overview(model(**{f"p{number}": "P" for number in range(20)})))

    assert (len(picture.providers), picture.others) == (8, 12)
    assert picture.height > picture.others_y


def test_trend_is_flat_without_lag_and_rises_with_it() -> None:
    assert polyline(()) == "0.0,24.0 120.0,24.0"
    assert polyline((0.0, 10.0)) == "0.0,24.0 120.0,2.0"
    assert bars((0, 4, 2)) == ((0, 0.0), (4, 24.0), (8, 12.0))
    assert [width_of(rate) for rate in (0, 5, 50, 500, 5000, 50_000)] == ["w0", "w1", "w2", "w3", "w4", "w5"]


@pytest.mark.parametrize(
    ("seconds", "english", "french"),
    [
        (0.02, "0.1 s", "0,1 s"), (0.26, "0.3 s", "0,3 s"), (0, "0 s", "0 s"),
        (12, "12 s", "12 s"), (119, "119 s", "119 s"), (600, "10 min", "10 min"),
        (7200, "2 h", "2 h"), (200_000, "2 d", "2 j"),
    ],
)  # fmt: skip
def test_duration_is_written_to_one_unit(seconds: float, english: str, french: str) -> None:
    assert Words("en").duration(seconds) == english.replace(" ", "\u202f")
    assert Words("fr").duration(seconds) == french.replace(" ", "\u202f")


def test_numbers_are_written_as_the_reader_s_language_does() -> None:
    assert (Words("en").number(12_345), Words("fr").number(12_345)) == ("12,345", "12\u202f345")
    assert (Words("en").rate(0.25), Words("fr").rate(2.5), Words("fr").rate(0)) == ("0.2", "2,5", "0")
