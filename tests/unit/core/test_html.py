from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from reference.html_reader import Reader

from eqspike.core.html import Markup, facts, folded, joined, listed, table, tag


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")))
def test_a_text_stays_a_text(hostile):
    read = Reader(tag("p", hostile, title=hostile))
    assert [name for name, _ in read.elements] == ["p"] and read.open == []
    assert read.text == hostile and read.elements[0][1] == {"title": hostile}


def test_markup_stands_as_it_is_and_its_parts_do_not():
    inner = tag("b", "<i>")
    assert tag("p", inner) == "<p><b>&lt;i&gt;</b></p>"
    assert isinstance(joined([inner, "&"]), Markup) and joined([inner, "&"]) == "<b>&lt;i&gt;</b>&amp;"


def test_attributes_of_none_are_left_out_and_names_are_those_of_html():
    assert tag("a", class_="k", aria_label='"', href=None) == '<a class="k" aria-label="&quot;"></a>'
    assert tag("br") == "<br>"


def test_a_table_names_its_rows_and_columns():
    read = Reader(table("What", ("layer", "size"), [("<in>", 3)]))
    scopes = [attributes.get("scope") for name, attributes in read.elements if name == "th"]
    assert scopes == ["col", "col", "row"] and read.open == []
    assert "<in>" in read.text and [name for name, _ in read.elements].count("td") == 1


def test_lists_escape_what_they_hold():
    for made in (facts([("<a>", "<b>")]), listed(["<a>"]), folded("<a>", "<b>")):
        read = Reader(made)
        assert "<a>" in read.text and read.open == [] and not {"a", "b"} & {name for name, _ in read.elements}
