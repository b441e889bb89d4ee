"""The page: what it says for each outcome, and that nothing in results.json can be more than text on it."""

import base64
import hashlib
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

import results_example as example
from results_example import CHOSEN, HOSTILE, NAME, render, spoilt
from stedi.contract import tables
from stedi.report import page

INLINE = {"a", "code", "span", "strong"}
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """The elements of a page with their attributes, and its text outside of styles."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in INLINE or ("class", "note") in attrs:
            self.text += " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, "elements are closed in order"

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data

    def all(self, *tags: str) -> list[dict]:
        """The attributes of every element of these kinds."""
        return [attributes for tag, attributes in self.elements if tag in tags]


def words(results: dict) -> str:
    """The page's text with single spaces."""
    return " ".join(Page(render(results)).text.split())


OUTCOMES = [
    pytest.param(example.passed, id="passed"),
    pytest.param(example.failed, id="failed"),
    pytest.param(example.stopped, id="stopped"),
]


@pytest.mark.parametrize(
    "policy, title",
    [
        ("course", "The course's rules hold"),
        ("standout", "The course's stand-out rules hold"),
        ("strict", "The strict privacy rules hold"),
        ("other", "The rules of policy other hold"),
    ],
)
def test_a_passing_page_names_the_rules_that_hold_and_the_published_run(policy, title):
    text = words(example.passed(policy=policy))
    assert title in text
    assert "The audit passed" in text and "The audit failed" not in text
    assert "published as run 2026-01-02T03-04-05.678" in text


def test_a_passing_page_says_so_where_nothing_was_published():
    assert "not published: readers still see what was published before" in words(example.passed(published=False))


def test_a_failing_page_opens_with_what_stops_the_run():
    text = words(example.failed())
    assert "The course's rules do not hold" in text
    assert "The audit failed: 2 checks stop this run" in text and "The audit passed" not in text
    assert "Nothing was published; what was published before stays." in text
    stops = text[text.index("What stops the run") : text.index("What these rules let through")]
    for each in ("customer_trusted", "Every customer agreed.", "3 rows break it", "could not be evaluated"):
        assert each in stops


def test_a_failing_page_of_a_run_that_was_published_before_does_not_say_that_nothing_was():
    text = words(example.failed() | {"published": True})
    assert "Nothing was published" not in text
    assert "was published before this audit, and readers still see it" in text


def test_a_table_that_stops_the_run_is_opened():
    assert sum("open" in each for each in Page(render(example.failed())).all("details")) == 1


def test_a_stopped_page_shows_the_error_with_its_lines_and_no_verdict():
    page = Page(render(example.stopped()))
    assert "The audit" not in page.text
    assert "The run stopped before its audit" in page.text
    assert "02_landing_zone" in page.text and "QuarantineExceeded" in page.text
    assert example.stopped()["error"]["message"] in page.text
    assert "Lineage" not in page.text


def test_an_outcome_that_is_none_gets_no_page():
    with pytest.raises(ValueError, match="'fine'"):
        render(example.passed(outcome="fine"))


@pytest.mark.parametrize(
    "data, line",
    [
        (example.SYNTHETIC, "Synthetic data: generated sample, scale 1, seed 0"),
        (example.SYNTHETIC | {"kind": "public", "name": "public STEDI data"}, "Public data: public STEDI data"),
        (example.SYNTHETIC | {"kind": "other", "name": "data that is not known here"}, "Other data: data that is"),
        (example.SYNTHETIC | {"kind": "new", "name": "some"}, "Other data: some"),
    ],
)
def test_the_kind_of_data_stands_in_header_title_and_on_every_printed_page(data, line):
    html = render(example.passed(data=data))
    label = line.partition(":")[0]
    assert line in html[html.index("<h1>") : html.index("</header>")]
    assert label in html[html.index("<title>") : html.index("</title>")]
    assert f'@bottom-left{{content:"{label}"' in html


def test_what_is_wrong_with_known_data_stands_beside_its_name():
    version = example.SYNTHETIC | {"kind": "public", "name": "some version", "faults": ["phone is a number."]}
    html = render(example.passed(data=version))
    header = html[html.index("<h1>") : html.index("</header>")]
    assert (
        header.index("Public data: some version") < header.index("What is wrong") < header.index("phone is a number.")
    )
    assert "What is wrong" not in render(example.passed())


@pytest.mark.parametrize("by", ["files", "rows"])
def test_report_says_by_what_public_data_was_recognised(by):
    html = render(example.passed(data=example.SYNTHETIC | {"kind": "public", "recognised_by": by}))
    assert ("by the bytes of its files" in html, "by its rows" in html) == (by == "files", by == "rows")


def test_what_is_let_through_stands_right_below_the_verdict():
    html = render(example.passed())
    order = [html.index(each) for each in ("<h1>", 'id="let-through"', 'id="criteria"')]
    assert order == sorted(order)
    text = words(example.passed())
    below = text[text.index("What these rules let through") :]
    assert "Policy course permits these rows" in below
    assert "270 of 2,100 rows pairs of strangers machine_learning_curated · one_owner" in below


def test_nothing_let_through_has_no_section():
    assert "What these rules let through" not in words(example.passed(lets_through=[]))


def test_a_failed_warning_is_let_through_and_fails_no_table():
    text = words(example.passed())
    assert "✓ passes, ! 1 let through" in text
    assert "✗ fails" not in " ".join(Page(render(example.passed(criteria=[]))).text.split())


@pytest.mark.parametrize(
    "changed, shown",
    [
        pytest.param({"outcome": "skipped"}, "– skipped", id="skipped"),
        pytest.param({"outcome": "error", "severity": "warning"}, "! not evaluated", id="an error in a warning"),
        pytest.param({"outcome": "error"}, "✗ not evaluated", id="an error in a critical check"),
        pytest.param({"outcome": "failed", "severity": "info", "unexpected": 2}, "! noted", id="a failed note"),
        pytest.param({"outcome": "unheard of"}, "✗ not evaluated", id="an outcome that is none"),
    ],
)
def test_a_check_is_shown_by_sign_and_word(changed, shown):
    results = example.passed()
    results["tables"][0]["checks"] = [example.check("one", "One holds.", **changed)]
    assert f"{shown} One holds." in words(results)


@pytest.mark.parametrize("expected, shown", [(None, "not known 10"), (10, "10 10"), (12, "12 10 -2")])
def test_expected_and_actual_rows_stand_side_by_side(expected, shown):
    results = example.passed()
    results["tables"][0]["expected_rows"] = expected
    assert f"customer_landing landing {shown} 2 of 2" in words(results)


def test_every_row_is_followed_from_the_files_to_the_last_table():
    text = words(example.passed())
    assert (
        "Phone readings records in the landing files 4,001 100.0% records that cannot be used −1 0.0% "
        "accelerometer_landing 4,000 100.0% no consent to research −2,000 50.0% "
        "accelerometer_trusted 2,000 50.0%" in text
    )


def test_each_criterion_is_told_with_its_verdict_its_query_and_the_checks_that_hold_it():
    text = words(example.passed())
    assert "Criteria that hold 1 of 5" in text
    for shown in (
        "X0 A criterion that holds Some rows of customer_trusted. 5 customers ✓ holds",
        "X1 A criterion that fails Some rows of customer_trusted. 5 customers ✗ fails",
        "X2 A criterion that unasked Some rows of customer_trusted. 5 customers ! not under this policy",
        "X3 A criterion that unknown Some rows of customer_trusted. 5 customers ? not known",
        "X4 A criterion on AWS Some rows of customer_trusted. 5 customers ○ shown locally",
        "select count(*) as customers from customer_trusted Held by",
        "Held by machine_learning_curated: rows_present (failed, 270 rows).",
        "Held by customer_trusted: rows_present (skipped).",
        "Shown locally: files of a folder. On AWS, scripts.",
    ):
        assert shown in text


def test_policies_stand_side_by_side_with_who_removes_what():
    text = words(example.passed())
    assert "customer_trusted 5 4 3" in text
    assert "pairs of strangers machine_learning_curated 270 – 0 strict" in text
    assert (
        "270 of 2,100 rows pairs of strangers machine_learning_curated · one_owner · removed by policy strict" in text
    )


def test_policies_that_were_not_compared_say_how_to():
    assert "done when asked for, with --compare-policies" in words(example.passed(policies=None))


def test_readings_before_and_after_the_consent_are_summed():
    text = words(example.passed())
    assert "1,000 landed from before it, of which 400 are in accelerometer_trusted" in text
    assert "1,600 from after it, of which 1,600 are" in text


def test_runs_before_this_one_are_compared():
    text = words(example.passed())
    assert "Rows by zone in the last 2 runs" in text
    assert "landing 4,307 4,310 +3" in text
    results = example.passed()
    results["run"]["history"] = []
    assert "No earlier run was reported in this folder." in words(results)


def test_a_failing_check_tells_where_its_rule_lives_how_to_look_further_and_which_rows_break_it():
    text = words(example.failed())
    assert "rule consent_present in expectations/course/some_table.json" in text
    assert "stedi query --run 2026-01-02T03-04-05.678 --lakehouse lakehouse" in text
    assert """'select * from customer_trusted where "sharewithresearchasofdate" is null'""" in text
    assert f"Rows, by keys that name nobody: {'0a' * 8} {'1b' * 8} {'2c' * 8}" in text
    assert "Readers see run 2026-01-01T00-00-00.000 (policy course, 2026-01-01 00:00:09 UTC)" in text


def test_a_crashed_notebook_is_named_with_its_cell_and_linked():
    page = Page(render(example.stopped()))
    assert "Cell 3 of notebook 02_landing_zone ended with QuarantineExceeded" in " ".join(page.text.split())
    assert {"href": "./02_landing_zone.ipynb"} in page.all("a")


def test_what_a_run_cost_on_aws_is_told_query_by_query():
    results = example.passed()
    assert "What it cost on AWS" not in words(results)
    statements = [{"purpose": "customer_trusted", "bytes_scanned": 1_234, "dollars": 0.0000477}]
    results["run"] |= {"engine": "athena", "aws": {
        "queries": 1, "bytes_scanned": 1_234, "dollars": 0.0000477, "statements": statements}}  # fmt: skip
    text = words(results)
    assert "1 queries of Athena scanned 1,234 bytes, at an estimated $0.0000" in text
    assert "customer_trusted 1,234 0.000048" in text
    assert "Athena counted as many rows in every table" in text


def test_evidence_is_bound_to_code_and_command():
    text = words(example.passed())
    assert ".venv/bin/stedi run --source sample --policy course" in text
    assert f"src/stedi/contract/sql/course/customer_trusted.sql {'12' * 32}" in text


def test_landing_files_are_accounted_for():
    text = words(example.passed())
    assert f"customer_landing-1.json unknown keys: nickName gzip 11 10 1 {'ab' * 32}" in text
    assert "Keys that are no column are named below their file." in text
    assert "customer_landing-1.json 7 1 a key is given twice" in text


def test_files_without_unknown_keys_say_so():
    results = example.passed()
    for landed in results["landing"]:
        landed["files"][0]["unknown_keys"] = []
    text = words(results)
    assert "No file has a key that is no column." in text and "unknown keys" not in text


def test_of_many_files_and_faults_the_first_are_named_and_the_others_counted():
    results = example.passed()
    landed = results["landing"][0]
    landed["files"], landed["faults"], landed["quarantined"] = landed["files"] * 500, landed["faults"] * 100, 3_000
    text = words(results)
    assert "and 480 more files of customer_landing, in results.json" in text
    assert "and 2,980 more quarantined records, in results.json" in text


@pytest.mark.parametrize(
    "changed, said",
    [
        ({"changed": False}, "commit 0123456789abcdef, unchanged"),
        ({"changed": True}, "commit 0123456789abcdef, and changes that are not committed"),
        ({"commit": None, "changed": None}, "commit not known"),
    ],
)
def test_the_code_is_named(changed, said):
    results = example.passed()
    results["run"] |= changed
    assert said in words(results)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("results", OUTCOMES)
def test_text_in_results_comes_out_as_text(results, text):
    plain, page = Page(render(results())), Page(render(spoilt(results(), text)))
    kinds = {tag for tag, _ in plain.elements}
    names = {(tag, name) for tag, attributes in plain.elements for name in attributes}
    assert {tag for tag, _ in page.elements} <= kinds
    assert {(tag, name) for tag, attributes in page.elements for name in attributes} <= names
    # A parent whose name is spoilt is still a parent, and so on: the same elements, one by one.
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.open == []


@pytest.mark.parametrize("key", sorted(CHOSEN - {"outcome"}))
def test_an_unknown_word_where_one_of_a_few_is_expected_comes_out_as_text(key):
    def change(value):
        if isinstance(value, dict):
            return {name: 'x"><script>' if name == key else change(each) for name, each in value.items()}
        return [change(each) for each in value] if isinstance(value, list) else value

    page = Page(render(change(example.passed())))
    assert not page.all("script")
    assert all('"' not in each.get("class", "") for _, each in page.elements)


def test_no_control_reaches_the_page():
    html = render(spoilt(example.failed(), "\u202e\u2066\u200b\x00\x1b\u2028\ud800"))
    assert all(each.isprintable() or each == "\n" for each in html)
    assert "\\u202e\\u2066\\u200b\\x00\\x1b\\u2028\\ud800" in html


def test_a_long_name_is_cut():
    html = render(spoilt(example.passed(), NAME))
    assert "(10,0" in html
    assert len(html) < 5_000_000


@pytest.mark.parametrize("results", OUTCOMES)
def test_the_page_needs_nothing_else(results):
    html = render(results())
    page = Page(html)
    assert not {tag for tag, _ in page.elements} & {"script", "link", "img", "iframe", "embed", "form", "base"}
    assert not [name for _, each in page.elements for name in each if name.startswith("on") or name in ("style", "src")]
    beside = {"results.json", "./02_landing_zone.ipynb"}
    assert {each["href"] for each in page.all("a")} <= beside | {f"#{id_}" for id_ in ids(page)}
    assert not re.search(r"https?:|url\(|@import|//[a-z]", re.sub("'sha256-[^']+'", "", html))


@pytest.mark.parametrize("results", OUTCOMES)
def test_the_policy_of_the_page_allows_its_own_style_sheet_and_nothing_else(results):
    html = render(results())
    style = html[html.index("<style>") + 7 : html.index("</style>")]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    given = next(each["content"] for each in Page(html).all("meta") if "http-equiv" in each)
    assert given.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def ids(page: Page) -> list[str]:
    return [each["id"] for _, each in page.elements if "id" in each]


@pytest.mark.parametrize("results", OUTCOMES)
def test_the_page_can_be_read_without_seeing_it(results):
    page = Page(render(results()))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("scope" in each for each in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert len(set(ids(page))) == len(ids(page))
    assert page.all("html") == [{"lang": "en"}]
    regions = [each for _, each in page.elements if each.get("role") == "region"]
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in regions)
    assert len({each["aria-label"] for each in regions}) == len(regions)
    tables_, scrolled = len(page.all("table")), len(regions)
    assert scrolled == tables_ + (2 if tables_ else 0)  # the lineage and the chart scroll too


def test_every_table_can_be_linked_to():
    assert set(tables.NAMES) <= set(ids(Page(render(example.passed()))))


def luminance(colour: str) -> float:
    colour = colour if len(colour) == 6 else "".join(each * 2 for each in colour)
    parts = [int(colour[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [pytest.param(0, id="light"), pytest.param(1, id="dark")])
@pytest.mark.parametrize(
    "text, grounds",
    [
        ("fg", "bg card ok-bg bad-bg warn-bg"),
        ("dim", "bg card ok-bg bad-bg warn-bg landing-bg trusted-bg curated-bg"),
        ("link", "bg card bad-bg warn-bg"),
        ("ok", "bg card"),
        ("bad", "bg card bad-bg"),
        ("warn", "bg card"),
        ("stamp-fg", "stamp"),
        ("landing", "landing-bg"),
        ("trusted", "trusted-bg"),
        ("curated", "curated-bg"),
    ],
)
def test_text_stands_out_from_its_ground(text, grounds, scheme):
    css = (page.TEMPLATES / "report.css").read_text(encoding="utf-8")
    colours = {name: pair.split(",") for name, pair in re.findall(r"--([\w-]+):light-dark\(([^)]+)\)", css)}
    for ground in grounds.split():
        low, high = sorted(luminance(colours[name][scheme].lstrip("#")) for name in (text, ground))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"


def test_the_files_are_written_all_at_once_into_a_new_folder(tmp_path):
    results = spoilt(example.passed(), "é\ud800")
    path = page.write(example.typed(results), str(tmp_path / "new" / "reports"))
    assert path == tmp_path / "new" / "reports" / "validation_report.html"
    assert sorted(each.name for each in path.parent.iterdir()) == ["results.json", "validation_report.html"]
    written = path.with_name("results.json").read_text(encoding="utf-8")
    assert json.loads(written) == results
    assert written.startswith('{\n  "version": 3,') and written.endswith("}\n") and "é" in written
    assert path.read_text(encoding="utf-8") == render(results)


def test_a_page_that_cannot_be_rendered_leaves_the_files_as_they_were(tmp_path):
    page.write(example.typed(example.passed()), str(tmp_path))
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with pytest.raises(ValueError):
        page.write(example.typed(example.passed(outcome="fine")), str(tmp_path))
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before


@pytest.mark.parametrize("results", ["passed", "stopped"])
def test_a_page_is_rendered_without_what_draws_pictures(results):
    code = "import sys, results_example as example; from stedi.report import page; "
    code += f"page.render(example.typed(example.{results}())); "
    code += "print({'matplotlib', 'PIL', 'pandas', 'duckdb'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parent)
    assert done.stdout == "set()\n", done.stderr


def test_the_page_is_small_and_always_the_same():
    html = render(example.passed())
    assert len(html.encode()) < 150_000
    assert html == render(example.passed())


def test_sample_rows_that_do_not_fit_the_columns_get_no_page():
    results = example.passed()
    results["tables"][0]["sample"][0].pop()
    with pytest.raises(ValueError, match="customer_landing has 10 columns"):
        render(results)


def test_who_left_is_told_by_table_and_reason():
    replaced = "not comparable: the key was replaced"
    rows = [
        {"table": "customer_trusted", "reason": "consent withdrawn", "rows": 1234},
        {"table": "machine_learning_curated", "reason": replaced, "rows": None},
    ]
    text = Page(render(example.passed(left=rows))).text
    assert "Who left since the last publication" in text
    assert re.search(r"customer_trusted\s+consent withdrawn\s+1,234", text)
    assert re.search(r"machine_learning_curated\s+not comparable: the key was replaced\s+not known", text)
    assert "Who left" not in Page(render(example.passed())).text


def test_erased_lines_are_accounted_for():
    results = example.passed()
    results["landing"][0]["erased"] = 2
    text = Page(render(results)).text
    assert "2 records of erased people taken out" in text
    assert "because its person was erased" in text
    assert "erased" not in Page(render(example.passed())).text


def test_final_table_under_pseudonyms_is_called_pseudonymised_and_not_anonymous():
    results = example.passed()
    assert "pseudonymised" not in Page(render(results)).text
    results["tables"][-1]["columns"][0]["name"] = "participant"
    assert "it is pseudonymised, not anonymous" in Page(render(results)).text
