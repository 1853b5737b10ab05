"""What a report says is what the run holds; it is one file, the same every time, and goes when asked to."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import fsspec
import pytest
from PIL import Image

from jobs.calls import costs_of, read_calls
from jobs.export.dataset import Dataset
from jobs.report import write_report
from jobs.report.plots import cloud
from jobs.report.thresholds import thresholds_of
from jobs.runs import Run
from pipeline.storage import Store
from tests.command import dataset, speechcraft
from tests.jobs.report.conftest import LONG
from tests.s3.server import S3


class Reader(HTMLParser):
    """Addresses, ids and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text("utf-8"))
    return reader


@pytest.fixture(scope="module")
def other(run: Path, page: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the same run with another seed, where no font has Chinese."""
    copy = tmp_path_factory.mktemp("other") / "run"
    shutil.copytree(run, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cloud, "chinese_font", lambda: None)
        return Path(write_report(str(copy), seed=7, say=lambda _: None))


def test_it_counts_what_the_dataset_holds(run: Path, page: Path) -> None:
    rows = dataset(run)
    text = " ".join(read(page).text.split())
    assert f"Clips{len(rows)}" in text
    failed = [row for row in rows if row["status"] == "failed"]
    assert failed
    assert all(row["error"].split(": ")[1] in text for row in failed)
    for row in rows:
        if row["status"] == "ok" and row["id"] in ("seven", "match", "zh-weather"):
            assert row["description"] in text
            assert row["instruction"] in text


def test_everything_is_in_the_one_file(page: Path) -> None:
    reader = read(page)
    assert [a[:60] for a in reader.addresses if not a.startswith(("#", "data:"))] == []
    assert "url(http" not in page.read_text("utf-8")
    assert "@import" not in page.read_text("utf-8")


def test_no_two_parts_of_the_page_have_one_id(page: Path) -> None:
    ids = read(page).ids
    assert sorted(set(ids)) == sorted(ids)
    assert all(a[1:] in ids for a in read(page).addresses if a.startswith("#"))


def test_the_same_run_gives_the_same_bytes(run: Path, page: Path) -> None:
    before = {f: f.read_bytes() for f in page.parent.rglob("*") if f.is_file()}
    write_report(str(run), seed=0, say=lambda _: None)
    assert {f: f.read_bytes() for f in page.parent.rglob("*") if f.is_file()} == before


def test_plots_lie_beside_the_page_as_files_that_open(page: Path) -> None:
    svgs, pngs = (sorted(page.parent.glob(f"plots/*.{kind}")) for kind in ("svg", "png"))
    assert [f.stem for f in svgs] == [f.stem for f in pngs]
    for file in svgs:
        assert ElementTree.fromstring(file.read_text("utf-8")).tag.endswith("svg")
        assert "var(--" not in file.read_text("utf-8")
    for file in pngs:
        with Image.open(file) as image:
            image.verify()


def test_the_thresholds_of_the_run_are_drawn_for_each_gender(run: Path, page: Path) -> None:
    pitch = thresholds_of(Run.open(str(run)).record)["pitch_hz"]
    drawn = (page.parent / "plots" / "f0_median_hz.svg").read_text("utf-8")
    for gender in ("female", "male"):
        low, high = pitch[gender]
        assert f"low &lt; {low:.0f}" in drawn
        assert f"high &gt; {high:.0f}" in drawn


def test_ten_thousand_words_do_not_fill_the_page(page: Path) -> None:
    assert LONG[:700] not in page.read_text("utf-8")
    assert f"({len(LONG) - 1:,} characters)" in read(page).text


def test_another_seed_counts_the_same(page: Path, other: Path) -> None:
    tiles = re.compile(r'<dl class="tiles">.*?</dl>', re.DOTALL)
    assert tiles.findall(other.read_text("utf-8")) == tiles.findall(page.read_text("utf-8"))


def test_without_a_chinese_font_the_words_are_listed(other: Path) -> None:
    assert "No font here can draw them as a cloud" in other.read_text("utf-8")
    assert not (other.parent / "plots" / "words-zh.svg").exists()
    assert (other.parent / "plots" / "words-en.svg").exists()


def test_a_run_on_an_object_store_is_reported_there(run: Path, page: Path, s3: S3) -> None:
    url = f"{s3.bucket()}/run"
    fsspec.filesystem("s3").put(str(run), url, recursive=True)
    for old in Store(url).names("report"):
        Store(url).remove(old)
    said = write_report(url, seed=0, say=lambda _: None)
    assert said == f"{url}/report/index.html"
    assert Store(url).read("report/index.html") == page.read_bytes()


def test_every_annotator_that_was_at_work_has_a_cost(run: Path, page: Path) -> None:
    text = read(page).text
    calls = read_calls(Store(str(run)))
    spent = {key.partition("@")[0] for key, cost in costs_of(calls).items() if cost.compute_s}
    assert {"sound-decode", "caption-realiser"} <= spent
    assert all(name in text.partition("What it cost")[2] for name in spent)


def test_a_run_without_a_dataset_says_so(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "dataset")
    ended = speechcraft("report", tmp_path / "run")
    assert ended.code == 2
    assert "no dataset yet" in ended.err
    assert ended.err.strip().count("\n") == 0


def test_what_is_forgotten_is_in_no_report(run: Path, page: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    assert speechcraft("forget", tmp_path / "run", "--clip", "seven", "--yes").code == 0
    assert not (tmp_path / "run" / "report").exists()
    assert speechcraft("report", tmp_path / "run").code == 0
    assert "seven" not in (tmp_path / "run" / "report" / "index.html").read_text("utf-8")


def test_json_says_where_the_page_is(run: Path, page: Path) -> None:
    assert page == run / "report" / "index.html"
    assert json.loads((run / "dataset" / "index.json").read_text())["clips"] == Dataset.open(str(run)).clips
