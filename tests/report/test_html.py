"""The page: one file, no network, four layers, the same bytes each time, light enough to mail."""

import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from tests.report import fake

from ranvier.report import charts, svg
from ranvier.report.html import to_html, to_index
from ranvier.report.words import Words

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collects what the tests ask about, and complains about tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page():
    return to_html(fake.assessment(), fake.knowledge())


def test_the_page_is_well_formed_and_no_id_occurs_twice(page):
    reader = Reader(page)
    assert len(reader.ids) == len(set(reader.ids))
    links = {a["href"][1:] for tag, a in reader.tags if tag == "a" and (a.get("href") or "").startswith("#")}
    assert links <= set(reader.ids)


def test_nothing_is_fetched_and_nothing_is_run(page):
    reader = Reader(page)
    assert not [tag for tag, _ in reader.tags if tag in ("script", "link", "img", "iframe", "object")]
    assert not re.search(r"@import|url\(|src=", page)
    outside = {a["href"] for tag, a in reader.tags if tag == "a" and not (a.get("href") or "").startswith("#")}
    assert all(href.startswith("https://doi.org/") for href in outside)


def test_each_picture_has_a_title_a_description_and_its_colours_from_the_page(page):
    pictures = [a for tag, a in Reader(page).tags if tag == "svg"]
    assert len(pictures) >= 8
    assert all(a.get("role") == "img" and a.get("aria-labelledby") for a in pictures)
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.S))
    assert not re.search(r"#[0-9a-fA-F]{3,6}\b", drawn)
    assert "var(--accent)" in drawn


def test_headings_go_down_one_step_at_a_time(page):
    levels = [int(tag[1]) for tag, _ in Reader(page).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_same_assessment_gives_the_same_page(page):
    assert page == to_html(fake.assessment(), fake.knowledge())


def test_three_years_of_daily_diary_stay_light():
    assert len(to_html(fake.crowded(), fake.knowledge()).encode()) < 1_500_000


def test_a_refusal_is_a_page_with_its_reasons_and_no_picture():
    page = to_html(fake.refused(), fake.knowledge())
    Reader(page)
    assert "No plan can be made from this record yet." in page
    assert "<svg" not in page


def test_what_the_record_says_cannot_become_markup():
    page = to_html(fake.assessment(pseudonym="<script>alert(1)</script>"), fake.knowledge())
    assert "<script>" not in page


def test_people_without_igg_or_floor_or_response_get_a_page_too():
    for case in (fake.assessment(igg=False, measures=1, history=60), fake.assessment(imax=0.05, every=7)):
        page = to_html(case, fake.knowledge())
        Reader(page)
        assert "</html>" in page
        assert ">None<" not in page
        assert "nan" not in page.lower().split("<svg")[0]


def test_kilograms_and_kilopascals_never_share_a_panel():
    """Each panel of the time line names one unit."""
    spec = charts.timeline(fake.crowded(), Words(fake.knowledge()), charts.WIDE)
    titles = [panel["title"]["text"] for panel in spec["vconcat"]]
    assert [t.split(", n =")[0] for t in titles] == [
        "Immunoglobulin given, g",
        "Serum IgG, g/L",
        "Right grip, kg",
        "Left grip, kg",
        "MRC sum, points",
    ]
    assert all("n = " in t for t in titles)


def test_all_panels_of_the_time_line_share_one_axis_of_time():
    spec = charts.timeline(fake.assessment(), Words(fake.knowledge()), charts.WIDE)
    domains = {
        tuple(layer["encoding"]["x"]["scale"]["domain"])
        for panel in spec["vconcat"]
        for layer in panel["layer"]
        if "domain" in layer.get("encoding", {}).get("x", {}).get("scale", {})
    }
    assert len(domains) == 1


def test_thousands_of_dots_become_one_path_that_holds_them_all():
    dots = "".join(
        f'<path transform="translate({x},{x / 2})" d="M1.5,0A1.5,1.5,0,1,1,-1.5,0" fill="#1b2a33"/>'
        for x in range(1000)
    )
    drawn = f'<svg viewBox="0 0 9 9"><g class="mark-symbol role-mark points_x_marks">{dots}</g></svg>'
    clean = svg.clean(drawn, key="k", title="t", description="d")
    assert clean.count("<path") == 1
    assert clean.count("h0") == 1000
    assert len(clean) < len(drawn) / 4


def test_small_noise_is_not_blown_up_to_fill_the_axis():
    spec = charts.timeline(fake.crowded(), Words(fake.knowledge()), charts.WIDE)
    low, high = next(
        layer["encoding"]["y"]["scale"]["domain"]
        for layer in spec["vconcat"][-1]["layer"]
        if "y" in layer.get("encoding", {})
    )
    assert high - low >= 0.3 * high


def test_courses_of_several_days_count_once():
    assert charts.course_starts([0, 1, 2, 28, 29, 30, 56], 28) == [0, 28, 56]


def test_the_index_links_every_plan():
    entries = [{"href": "a.html", "title": "a", "story": "A story.", "answer": "Strength holds."}]
    page = to_index(entries, fake.knowledge())
    Reader(page)
    assert '<a href="a.html">a</a>' in page
