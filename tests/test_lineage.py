"""The flow of the tables, drawn three times from the same parents."""

import re
from xml.etree import ElementTree

import pytest

import results_example as example
from stedi.contract import tables
from stedi.report import lineage, overview

EDGES = {(parent, table.name) for table in tables.TABLES for parent in table.parents}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def plan() -> lineage.Layout:
    names = ("name", "subject", "zone", "notebook", "parents")
    tables_ = example.passed()["tables"]
    return lineage.layout([lineage.Node(*map(table.get, names), lines=["some rows"]) for table in tables_])


def test_every_table_has_a_box_and_every_parent_an_edge(plan):
    assert [box.node.name for box in plan.boxes] == list(tables.NAMES)
    assert {(edge.parent, edge.child) for edge in plan.edges} == EDGES
    assert len(plan.edges) == len(EDGES)


def test_boxes_lie_apart_inside_the_picture_and_behind_their_parents(plan):
    by_name = {box.node.name: box for box in plan.boxes}
    assert len({(box.x, box.y) for box in plan.boxes}) == len(plan.boxes)
    assert all(box.x + plan.size.width <= plan.width and box.y + plan.size.height <= plan.height for box in plan.boxes)
    assert all(by_name[parent].x < by_name[child].x for parent, child in EDGES)


def test_no_edge_runs_through_a_box(plan):
    """An edge keeps to its parent's lane: no other box may lie there up to its child."""
    by_name = {box.node.name: box for box in plan.boxes}
    for edge in plan.edges:
        parent, child = by_name[edge.parent], by_name[edge.child]
        between = [box for box in plan.boxes if box.y == parent.y and parent.x < box.x < child.x]
        assert not between, f"{edge.parent} to {edge.child}"


def test_edges_begin_and_end_at_their_boxes(plan):
    by_name = {box.node.name: box for box in plan.boxes}
    for edge in plan.edges:
        x, y = map(int, re.match(r"M(\d+) (\d+)", edge.path).groups())
        assert (x, y) == (by_name[edge.parent].x + plan.size.width, by_name[edge.parent].y + plan.size.height // 2)
        assert edge.path.endswith(f"H{by_name[edge.child].x - 1}")


def test_a_table_lies_in_the_band_of_its_notebook(plan):
    bands = {band.notebook: band for band in plan.bands}
    for table, box in zip(tables.TABLES, plan.boxes, strict=True):
        band = bands[table.notebook]
        assert band.x < box.x and box.x + plan.size.width < band.x + band.width


@pytest.mark.parametrize("name", ["<script>", '"><b>', "n" * 10_000])
def test_names_are_drawn_as_text(name):
    table = lineage.Node(name, name, name, name, parents=["gone", name], lines=[name])
    drawn = ElementTree.fromstring(f"<svg>{lineage.draw(lineage.layout([table]))}</svg>")
    assert {each.tag for each in drawn.iter()} == {"svg", "g", "title", "rect", "text", "path"}
    assert max(len(each.text or "") for each in drawn.iter()) <= 60


def test_nothing_to_draw_is_no_error():
    assert lineage.draw(lineage.layout([])) == ""


def test_the_overview_names_every_table_and_needs_nothing_else():
    text = overview.svg()
    root = ElementTree.fromstring(text)
    assert [each.text for each in root.iter(f"{SVG}title")][1:] == list(tables.NAMES)
    assert len([each for each in root.iter(f"{SVG}path") if each.get("class") == "edge"]) == len(EDGES) + 3  # 3 sources
    assert {each.get("class") for each in root.iter(f"{SVG}rect")} >= {f"box {zone}" for zone in tables.ZONES}
    assert not re.search(r"<script|href|@import|url\((?!#)", text)
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]


def test_the_description_names_every_parent():
    said = lineage.describe([lineage.Node(each.name, "", "", "", each.parents) for each in tables.TABLES])
    assert "machine_learning_curated from step_trainer_trusted and accelerometer_trusted." in said
    assert "customer_landing from landing JSON;" in said


def test_the_flowchart_has_every_edge_and_every_table_in_its_zone():
    text = overview.mermaid()
    assert set(re.findall(r"(\w+) --> (\w+)", text)) == EDGES
    for zone, inside in re.findall(r"subgraph (\w+)\n(.*?)  end", text, re.DOTALL):
        assert inside.split() == [table.name for table in tables.TABLES if table.zone == zone]
