from __future__ import annotations

import json


def test_a_page_lies_beside_its_run(invoke, run_file):
    result = invoke("report", run_file, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    page = run_file.with_name("run-report.html")
    assert said["report"] == str(page) and said["bytes"] == page.stat().st_size
    assert said["missing"] == {} and {"learning", "answers", "raster", "window", "energy", "fit"} <= set(said["shown"])
    again = json.loads(invoke("report", run_file, "--json").stdout)
    assert again["report"].endswith("run-report-2.html")


def test_a_page_that_exists_is_kept(invoke, run_file, tmp_path):
    (tmp_path / "page.html").write_text("mine")
    result = invoke("report", run_file, "--out", "page.html")
    assert result.exit_code == 2 and "page.html" in result.stderr and (tmp_path / "page.html").read_text() == "mine"
    assert invoke("report", run_file, "--out", "page.html", "--force").exit_code == 0
    assert (tmp_path / "page.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_a_mistake_is_one_message(invoke, run_file, tmp_path):
    (tmp_path / "no.h5").write_bytes(b"no run")
    for words, named in ((["no.h5"], "no.h5"), ([run_file, "--chip", "nowhere"], "nowhere"), (["gone.h5"], "gone.h5")):
        result = invoke("report", *words)
        assert result.exit_code == 2 and named in result.stderr and "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*.html"))


def test_what_is_not_shown_is_said(invoke, run_file):
    result = invoke("report", run_file, "--chip", "speck")
    assert result.exit_code == 0 and "not shown" in result.stdout and "speck" in result.stdout
