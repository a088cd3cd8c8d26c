import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from ops.broker.embedded import EmbeddedBroker
from ops.rendering.files import ROOT
from services.contract.topology import CHANGES
from tests.browser.watched import Watched, chromium, violations, watched
from tests.integration.pipeline_people import decides, ine, joins, moves
from tests.integration.pipeline_stages import wait_for

pytestmark = pytest.mark.broker

STAGES = ("filtering", "pseudonymisation", "connectors-gar", "connectors-lecture")
CANARY = "ZORVELQUIMUR"
LONG = 45_000
"""Milliseconds for what goes through all stages on a busy machine."""
NPM = ["npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts",
       "--fetch-retries", "1", "--prefix"]  # fmt: skip
AXE = "axe-core@4.14.1"


@pytest.fixture(scope="module")
def axe() -> Path:
    """axe-core, by npm's ordinary client, once."""
    cache = ROOT / ".cache/axe"
    script = cache / "node_modules/axe-core/axe.min.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run([*NPM, str(cache), AXE], capture_output=True, check=True, timeout=90)
    return script


@pytest.fixture(scope="module")
def console(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(own_broker.bootstrap, tmp_path_factory.mktemp("console"), STAGES) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def page(console: Watched, browser: Browser) -> Iterator[Page]:
    """Signed in, in English, on the overview."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(LONG)
    console.sign_in(page)
    yield page
    context.close()


def released(page: Page, provider: str) -> int:
    return int(page.locator(f"#p-{provider} [data-end=released]").inner_text().replace(",", ""))


def test_counter_moves_when_a_change_is_published(console: Watched, page: Page) -> None:
    before = released(page, "gar")

    console.stages.publish([joins(1)])

    expect(page.locator("#p-gar [data-end=released]")).to_have_text(str(before + 1), timeout=LONG)
    expect(page.locator("[data-figure=released]")).not_to_have_text("0")


def test_withdrawal_appears_with_its_age_and_is_seen_through(console: Watched, page: Page) -> None:
    stages = console.stages
    stages.publish([joins(2), decides(2, "child", "given", "2026-09-02T10:00:00+02:00"),
                    decides(2, "guardian", "given", "2026-09-02T10:00:00+02:00")])  # fmt: skip
    expect(page.locator("#p-lecture [data-end=released]")).to_have_text("1", timeout=LONG)
    stages.freeze("connectors-lecture")
    try:
        stages.publish([decides(2, "guardian", "withdrawn", "2026-09-20T10:00:00+02:00")])
        expect(page.locator("#p-lecture [data-waiting]")).to_have_text("1", timeout=LONG)
        expect(page.locator("[data-figure=waiting]")).to_have_text("1")
        expect(page.locator("#p-lecture")).to_contain_text(re.compile(r"oldest \d+.s"))
    finally:
        stages.thaw("connectors-lecture")

    expect(page.locator("#p-lecture [data-through]")).to_contain_text("95 % within", timeout=LONG)
    expect(page.locator("[data-figure=waiting]")).to_have_text("0")
    expect(page.locator("#p-lecture [data-end=erased]")).to_have_text("1")


def test_provider_that_fails_is_named_with_a_reason_and_is_well_again(console: Watched, page: Page, axe: Path) -> None:
    stages, row = console.stages, page.locator("#p-gar")
    before = released(page, "gar")
    stages.publish([joins(number) for number in range(100, 112)])  # so that each partition was read before
    expect(row.locator("[data-end=released]")).to_have_text(str(before + 12), timeout=LONG)
    expect(row.locator(".state")).to_have_text("well", timeout=LONG)
    stages.freeze("connectors-gar")
    try:
        stages.publish([joins(number) for number in range(10, 20)])
        expect(row.locator(".state")).to_have_text("stalled", timeout=LONG)
        expect(row.locator(".why")).to_contain_text("it stands still while records wait")
        expect(page.locator(".headline")).to_have_text("1 provider needs you")
        expect(page.locator("#n-gar")).to_have_class("node stalled")
        assert violations(page, axe) == []
    finally:
        stages.thaw("connectors-gar")

    expect(row.locator(".state")).to_have_text("well", timeout=LONG)
    expect(row.locator(".why")).to_have_count(0)


def test_page_goes_on_after_the_console_was_started_again(console: Watched, page: Page) -> None:
    stages = console.stages
    before = released(page, "gar")
    stages.stop("console")
    expect(page.locator("#link")).to_have_text("reconnecting")
    stages.publish([joins(30)])
    console.start_console()

    expect(page.locator("#link")).to_have_text("live", timeout=LONG)
    expect(page.locator("#p-gar [data-end=released]")).to_have_text(str(before + 1), timeout=LONG)


def test_reasons_name_rule_code_and_what_to_do_and_can_be_narrowed(console: Watched, page: Page) -> None:
    console.stages.publish([joins(40), moves(41, "20260915.1.000000001", "5EME")])
    page.get_by_role("link", name="Reasons").click()
    missing = page.locator("tr[data-code=child-consent-missing]").first
    expect(missing).to_contain_text("The child has not agreed.", timeout=LONG)
    expect(missing).to_contain_text("R10/child-consent-missing")
    expect(missing).to_contain_text("Collect the missing consent through the school")
    dropped = page.locator("tr[data-code=R17]")
    expect(dropped).to_contain_text("A field that the contract or the perimeter does not name.")
    expect(dropped).to_contain_text("birth_date")
    expect(dropped).to_contain_text("say so in the contract, with its purpose")
    page.get_by_label("School type").select_option("lower-secondary")
    page.get_by_role("button", name="Show").click()
    expect(missing).to_contain_text(re.compile(r"collège \d+"))
    page.get_by_label("School type").select_option("upper-secondary")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tr[data-code=child-consent-missing]")).to_have_count(0)

    page.get_by_label("School type").select_option("")
    page.get_by_label("Provider").select_option("gar")
    page.get_by_label("Outcome").select_option("held")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("tr[data-code=no-image]")).to_contain_text("Publish a complete export of the source.")
    expect(page.locator("tr[data-code=child-consent-missing]")).to_have_count(0)


def test_everything_is_reached_by_the_keyboard(console: Watched, page: Page) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.goto(f"{console.url}/reasons?end=held")
    page.locator("#link.live").wait_for()
    reached: list[str] = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"

    assert reached[:7] == ["Skip to content", "Overview", "Reasons", "Français", "Light", "Dark", "Sign out"]
    assert reached[7:12] == ["provider", "end", "school", "Show", "reasons"]


def test_pages_do_nothing_that_their_own_policy_forbids(console: Watched, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in ("/", "/reasons", "/"):
        page.goto(f"{console.url}{path}")
        page.locator("#link.live").wait_for()
    page.locator(".uplot canvas").wait_for(state="attached")

    assert said == []


@pytest.mark.parametrize("path", ["/", "/reasons"])
def test_no_page_is_wider_than_a_phone_and_the_first_fits_on_a_wall(console: Watched, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{console.url}{path}")
    page.locator("#link.live").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360

    if path == "/":
        page.set_viewport_size({"width": 1920, "height": 1080})
        assert page.evaluate("document.documentElement.scrollHeight") <= 1080


def test_what_somebody_wrote_into_a_field_never_runs(console: Watched, page: Page) -> None:
    """The provider's name is such a field, and so is what a platform sends: that never even comes here."""
    console.stages.publish([joins(50, given_name="<script>document.title='run'</script>")])
    console.stages.publish([(CHANGES, b"<script>document.title='run'</script>", b"{}")])
    expect(page.locator("[data-figure=quarantined]")).not_to_have_text("0", timeout=LONG)

    for path in ("/", "/reasons"):
        page.goto(f"{console.url}{path}")
        page.locator("#link.live").wait_for()
        assert "run" not in page.title()
        assert page.locator("main img, main script").count() == 0
    expect(page.locator("option[value=gar]")).to_contain_text("<img src=x")


def test_no_page_answer_or_log_holds_a_person(console: Watched, page: Page) -> None:
    names = (CANARY, ine(60), "p-60")
    quarantined = page.locator("[data-figure=quarantined]").inner_text()
    console.stages.publish([joins(60, family_name=CANARY, given_name=CANARY)])
    console.stages.publish([(CHANGES, CANARY.encode(), CANARY.encode())])
    expect(page.locator("[data-figure=quarantined]")).not_to_have_text(quarantined, timeout=LONG)

    cookies = {str(one.get("name")): str(one.get("value")) for one in page.context.cookies()}
    with httpx.Client(base_url=console.url, cookies=cookies, headers={"Accept": "text/html"}) as client:
        answers = [client.get(path) for path in ("/", "/reasons", "/minutes.json", "/login", f"/{CANARY}", "/static/x")]
        with client.stream("GET", "/stream") as stream:
            answers_streamed = next(text for text in stream.iter_text() if "fragments" in text)
    said = [answer.text + str(answer.headers) for answer in answers] + [answers_streamed, page.content()]
    said += [
        file.read_bytes().decode("utf-8", "replace")
        for file in console.stages.folder.glob("console/*")
        if file.is_file()
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 404, 404]
    assert [name for name in names for text in said if name in text] == []


def test_axe_finds_no_serious_violation_in_either_appearance(console: Watched, page: Page, axe: Path) -> None:
    for path in ("/?theme=light", "/reasons", "/?theme=dark", "/reasons"):
        page.goto(f"{console.url}{path}")
        page.locator("#link.live").wait_for()

        assert violations(page, axe) == []


def test_login_page_passes_axe_and_a_stranger_sees_nothing(console: Watched, browser: Browser, axe: Path) -> None:
    context = browser.new_context(locale="fr-FR")
    page = context.new_page()
    page.goto(f"{console.url}/reasons")

    expect(page).to_have_url(f"{console.url}/login")
    expect(page.get_by_role("heading")).to_have_text("Se connecter")
    assert violations(page, axe) == []
    page.get_by_label("Mot de passe").fill("wrong")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Compte ou mot de passe incorrect.")
    context.close()


def test_page_says_everything_without_javascript_and_in_french(console: Watched, page: Page, browser: Browser) -> None:
    state = page.context.storage_state()
    context = browser.new_context(java_script_enabled=False, locale="fr-FR", storage_state=state)
    plain = context.new_page()
    plain.goto(f"{console.url}/")

    expect(plain.locator("html")).to_have_attribute("lang", "fr")
    expect(plain.locator("#p-gar .state")).to_be_visible()
    expect(plain.locator("svg.drawing")).to_contain_text("Pseudonymisation")
    assert "toutes les dix secondes" in plain.content()
    assert '<meta http-equiv="refresh" content="10">' in plain.content()
    plain.goto(f"{console.url}/reasons")
    plain.get_by_label("Type d’établissement").select_option("lower-secondary")
    plain.get_by_role("button", name="Afficher").click()
    assert "school=lower-secondary" in plain.url
    expect(plain.locator("#reasons")).to_be_visible()
    context.close()


def test_pages_weigh_less_than_300_kilobytes_and_fetch_from_nowhere_else(console: Watched, page: Page) -> None:
    fetched: dict[str, int] = {}
    page.on(
        "response", lambda answer: fetched.update({answer.url: 0 if "stream" in answer.url else len(answer.body())})
    )
    page.goto(f"{console.url}/reasons")
    page.locator("#link.live").wait_for()
    assert sum(fetched.values()) < 300_000
    fetched.clear()
    page.goto(f"{console.url}/")
    page.locator("#link.live").wait_for()
    page.locator(".uplot canvas").wait_for(state="attached")

    assert wait_for(lambda: any("minutes" in url for url in fetched))
    assert [url for url in fetched if not url.startswith(console.url)] == []
    assert sum(fetched.values()) < 300_000
