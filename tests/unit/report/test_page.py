from __future__ import annotations

import json
import re

import numpy as np
import pytest
from reference.html_reader import Reader

import eqspike
from eqspike.core.errors import ConfigError, OutputError
from eqspike.core.units import with_bounds
from eqspike.report import report_html, write_report
from eqspike.report.page import sections_of
from eqspike.training.api import load_data, resolve

HOSTILE = '</title><script>alert("1")</script> $\\frac{$ &amp;'


def test_the_page_is_whole_and_needs_nothing_else(html):
    read = Reader(html)
    assert html.startswith("<!DOCTYPE html>") and read.open == []
    assert not {"script", "iframe", "object", "embed", "form", "base"} & {name for name, _ in read.elements}
    for name, attributes in read.elements:
        assert not any(key.startswith("on") for key in attributes), name
        for key in ("src", "href", "srcset", "action", "data"):
            assert attributes.get(key, "#").startswith(("#", "data:")), (name, attributes)
    assert "url(" not in html and "@import" not in html
    policy = next(meta["content"] for meta in read.all("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'") and "script-src" not in policy


def test_every_part_can_be_reached_and_is_named(html):
    read = Reader(html)
    ids = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(ids) == len(set(ids)) and len(read.all("h1")) == 1 and read.all("html") == [{"lang": "en"}]
    assert len(read.all("h2")) == len(read.all("section")) == 12
    links = [link["href"].removeprefix("#") for link in read.all("a")]
    assert links[0] == "main" and set(links) <= set(ids)
    assert {section["id"] for section in read.all("section")} <= set(links)
    assert all(image["alt"].strip() for image in read.all("img")) and len(read.all("img")) == 9
    assert all(cell["scope"] in ("row", "col") for cell in read.all("th"))
    assert len(read.all("caption")) == len(read.all("table"))
    regions = [div for div in read.all("div") if div.get("class") == "scrolled"]
    assert regions and all(div["tabindex"] == "0" and div["aria-label"] and div["role"] == "region" for div in regions)


def test_the_numbers_are_those_of_the_run(html, run_file):
    run, text = eqspike.open_run(run_file), Reader(html).text
    for _, _, counter, count in run.ledger.rows():
        assert f"{count:,}" in text, counter
    energy = eqspike.price(run).per_presentation("inference")
    assert with_bounds(energy.value, energy.low, energy.high, "J") in text
    assert f"{100 * run.test_accuracy:.2f} %" in text
    for value in run.metrics["validation_accuracy"]:
        assert f"{100 * value:.2f} %" in text


def test_the_confusion_matrix_counts_labels_against_answers(html, run_file):
    run = eqspike.open_run(run_file)
    data = load_data(run.spec)
    answers = run.substrate.infer(data.x_test, counted=False)
    rows = re.search(r"Samples by label.*?<tbody>(.*?)</tbody>", html)[1]
    shown = [[int(n) for n in re.findall(r"<td[^>]*>(\d+)</td>", row)] for row in rows.split("</tr>") if row]
    for label in range(10):
        for answer in range(10):
            assert shown[label][answer] == sum((data.y_test == label) & (answers == answer))
    assert np.trace(shown) == round(run.test_accuracy * len(answers))


def test_fewer_samples_may_be_asked_for(run_file):
    assert "The first 7 of 40 test samples" in Reader(report_html(run_file, samples=7)).text
    with pytest.raises(ConfigError, match="--samples"):
        report_html(run_file, samples=0)


def test_the_same_run_gives_the_same_page(html, run_file):
    assert report_html(run_file) == html


def test_what_the_file_says_stays_text(tmp_path, run_file):
    run = eqspike.open_run(run_file)
    run.spec = resolve(run.spec, {"name": HOSTILE, "title": HOSTILE})
    run.path, run.environment["cpu"] = tmp_path / "run.h5", HOSTILE
    run.data["name"] = HOSTILE
    run.save()
    read = Reader(report_html(run.path))
    assert read.open == [] and not read.all("script") and "alert" in read.text
    assert read.within["title"] == [f"{HOSTILE}, seed 1, on {HOSTILE} - eqspike report"]


def test_without_its_samples_a_run_shows_the_rest(tmp_path, tiny):
    from eqspike.data import load_dataset

    digits = load_dataset("digits").limited(train=40, test=20)
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "mine.npz", **{name: getattr(digits, name) for name in names})
    settings = tiny | {"data": {"name": str(tmp_path / "mine.npz"), "validation": 5}, "training": {"epochs": 1}}
    run = eqspike.train(settings)
    (tmp_path / "mine.npz").unlink()
    _, sections = sections_of(run)
    missing = {section.name: section.reason for section in sections if section.reason}
    assert set(missing) == {"answers", "raster"} and all("mine.npz" in reason for reason in missing.values())


def test_an_untrained_run_says_what_there_is_not(tiny):
    from eqspike.training.run import new_run

    spec = resolve(tiny)
    run = new_run(spec, load_data(spec))
    _, sections = sections_of(run)
    missing = {section.name for section in sections if section.reason}
    assert {"learning", "rates", "energy", "ledger"} <= missing and not {"weights", "window", "fit"} & missing


def test_a_chip_that_cannot_learn_prices_inference_alone(run_file):
    text = Reader(report_html(run_file, chip="truenorth")).text
    assert "Inference alone is priced" in text and "does not fit truenorth" in text
    assert "eqspike report run.h5 --chip truenorth" in text


def test_on_a_chip_of_one_core_no_spike_travels(run_file):
    html = report_html(run_file, chip="eqspike-analog-65nm")
    assert "<dt>spikes between cores</dt><dd>0 a presentation</dd>" in html and "states no limits" in html


def test_a_binary_run_has_a_page():
    changes = {"network.hidden": [32], "data.name": "digits", "data.train_limit": 40, "data.test_limit": 20}
    run = eqspike.train(resolve("binary-ep-b-8192", changes | {"training.epochs": 1}))
    _, sections = sections_of(run)
    missing = {section.name: section.reason for section in sections if section.reason}
    assert set(missing) == {"raster", "window"}
    assert "binary network" in missing["window"]


def test_a_page_is_written_once(tmp_path, run_file, html):
    write_report(run_file, tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text("utf-8") == html
    with pytest.raises(OutputError, match="exists"):
        write_report(run_file, tmp_path / "page.html")


def test_an_object_shows_itself(run_file):
    run = eqspike.open_run(run_file)
    report = eqspike.price(run)
    for shown in (run._repr_html_(), report._repr_html_()):
        assert Reader(shown).open == []
    assert f"{100 * run.test_accuracy:.2f} %" in Reader(run._repr_html_()).text
    each = report.per_presentation("inference")
    assert f"{each.value:.3g}" in report._repr_html_() and f"{each.high:.3g}" in report._repr_html_()
    run.spec = resolve(run.spec, {"name": HOSTILE})
    for shown in (run._repr_html_(), eqspike.price(run)._repr_html_()):
        assert not Reader(shown).all("script") and "alert" in Reader(shown).text


def test_settings_without_a_command_are_given_whole(html, run_file):
    stored = next(text for text in Reader(html).within["code"] if text.startswith("{"))
    assert resolve(json.loads(stored)) == eqspike.open_run(run_file).spec
