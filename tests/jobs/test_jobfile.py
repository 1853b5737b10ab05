"""What a person writes into a job file or behind --set is taken, or refused in one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest

from jobs.jobfile import KEYS, build_job, profiles, read_file, read_profile, specs_of
from pipeline.annotator import Annotator
from pipeline.errors import OptionError
from pipeline.job import make_job
from pipeline.options import resolve
from pipeline.rows import Column, Row
from pipeline.way import WaySpec
from tests.fakes import Peak, Rank


@pytest.mark.parametrize("name", profiles())
def test_every_profile_that_ships_is_a_job(name: str) -> None:
    for spec in specs_of(read_profile(name)):
        assert resolve(spec.cls, spec.family, spec.options) is not None


def test_set_changes_an_option_and_the_fingerprints_that_depend_on_it() -> None:
    plain = build_job(read_profile("embedded"))
    changed = build_job(read_profile("embedded"), ["pitch.floor_hz=70"])
    differing = {a.family for a, b in zip(plain.ways, changed.ways, strict=True) if a.key != b.key}
    assert differing == {"pitch", "speaker", "emotion", "emphasis", "labels", "caption"}


def test_set_off_takes_an_annotator_out() -> None:
    assert "topic" not in build_job(read_profile("embedded"), ["topic=off"]).families


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("pitsch.floor_hz=60", "There is no annotator in this job 'pitsch'. Did you mean 'pitch'"),
        ("pitch.flor_hz=60", "Did you mean 'floor_hz'"),
        ("pitch.floor_hz=low", "pitch=dio.floor_hz takes a number"),
        ("transcript=whispr", "There is no way to fill transcript 'whispr'"),
        ("limits.batch_seconds=3", "There is no limit 'batch_seconds'"),
        ("pitch", "--set takes"),
        ("=3", "--set takes"),
        ("sound=off", "needs the annotator 'sound'"),
    ],
)
def test_a_wrong_assignment_is_refused_and_what_exists_is_named(assignment: str, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        build_job(read_profile("embedded"), [assignment])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2", "is not YAML"),
        ("just words", "must map entries such as 'annotators'"),
        ("annotators: [sound]", "'annotators' of the job file"),
        ("annotators: {sound: decode}\nshards: 3", "There is no entry of a job file 'shards'"),
    ],
)
def test_a_file_that_is_no_job_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(text)
    with pytest.raises(OptionError) as caught:
        build_job(read_file(path))
    assert message in str(caught.value)


def test_a_file_without_annotators_has_those_of_the_default_profile(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text("shard_size: 7\nlimits: {max_attempts: 5}\n")
    job, default = build_job(read_file(path)), build_job(read_profile("embedded"))
    assert [way.key for way in job.ways] == [way.key for way in default.ways]
    assert (job.cut, job.shard_size, job.limits.max_attempts) == (default.cut, 7, 5)


def test_the_page_on_job_files_shows_one_that_is_a_job(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "jobfile.md").read_text("utf-8")
    path = tmp_path / "job.yaml"
    path.write_text(re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)[0])
    record = read_file(path)
    assert build_job(record).of("emotion")[0].optional
    assert set(record) == set(KEYS) - {"serve"}


def test_a_missing_job_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no such file"):
        read_file(tmp_path / "none.yaml")


def test_pools_must_leave_no_family_without_a_place() -> None:
    record = read_profile("embedded") | {"pools": [{"name": "a", "families": ["sound"]}]}
    with pytest.raises(OptionError, match="Exactly one pool"):
        build_job(record)


def test_a_family_can_have_several_ways_each_with_its_languages() -> None:
    record = {
        "annotators": {
            "sound": "decode",
            "language": "script",
            "transcript": [
                {"use": "pocketsphinx", "languages": ["en"]},
            ],
        }
    }
    way = build_job(record).of("transcript")[0]
    assert way.languages == frozenset({"en"})


def test_one_language_is_a_list_of_one() -> None:
    entry = {"use": "pocketsphinx", "languages": "en"}
    record = {"annotators": {"sound": "decode", "language": "script", "transcript": entry}}
    assert build_job(record).of("transcript")[0].languages == frozenset({"en"})


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"shard_size": 0}, "job.shard_size must lie in 1..inf"),
        ({"shard_size": "all"}, "job.shard_size takes a whole number"),
        ({"keep_sound": "no"}, "job.keep_sound takes true or false"),
        ({"limits": [1]}, "'limits' must map names to numbers"),
        ({"limits": {"max_attempts": "3"}}, "limits.max_attempts takes a whole number"),
        ({"pools": {"name": "cpu"}}, "'pools' must be a list of mappings"),
        ({"pools": [{"name": "a"}, {"name": "a", "families": "sound"}]}, "Two pools have one name"),
        ({"annotators": {}}, "The job has no annotators"),
        ({"annotators": {"transcript": {"use": "pocketsphinx", "languages": [False]}}}, "names in quotes"),
    ],
)
def test_an_entry_of_the_wrong_kind_is_refused(entries: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        build_job({"annotators": {"sound": "decode"}, **entries})
    assert message in str(caught.value)


def test_an_option_of_an_annotator_that_is_off_is_refused() -> None:
    with pytest.raises(OptionError, match="There is no annotator in this job 'pitch'"):
        build_job({"annotators": {"sound": "decode", "pitch": None}}, ["pitch.floor_hz=70"])


def test_a_kept_field_that_does_not_exist_is_refused() -> None:
    with pytest.raises(OptionError, match="Did you mean 'text'"):
        build_job(read_profile("embedded"), ignore_given=True, keep_given=["txet"])


def test_a_column_has_one_owner() -> None:
    with pytest.raises(OptionError, match="The dataset itself and titled both have a column 'title'"):
        make_job([WaySpec("titled", "fake", FakeTitled)])


def test_the_ways_of_a_family_fill_one_row() -> None:
    with pytest.raises(OptionError, match="The ways of peak fill different rows: Peak, Rank"):
        make_job([WaySpec("peak", "a", FakePeakWithoutSound), WaySpec("peak", "b", FakeRankWithoutPeak)])


@dataclass(frozen=True, slots=True)
class Titled(Row):
    """Has a column that the dataset has already."""

    title: Annotated[str, Column("a title")]


class FakeTitled(Annotator[Titled]):
    """Never runs."""

    row = Titled
    version = 1


class FakePeakWithoutSound(Annotator[Peak]):
    """Never runs."""

    row = Peak
    version = 1


class FakeRankWithoutPeak(Annotator[Rank]):
    """Never runs."""

    row = Rank
    version = 1


ENDPOINT = "caption.endpoint=http://127.0.0.1:9"
MODEL = "caption.model=rewriter"


@pytest.mark.parametrize("profile", profiles())
def test_an_option_of_one_other_way_chooses_that_way_and_a_line_says_so(
    profile: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = read_profile(profile)
    record["annotators"] = {k: v for k, v in record["annotators"].items() if k in ("sound", "caption")}
    record["pools"] = None
    sets = ["caption.seed=3", MODEL, ENDPOINT]
    (way,) = build_job(record, sets).of("caption")
    assert (way.name, way.options["endpoint"], way.options["seed"]) == ("llm", "http://127.0.0.1:9", 3)
    assert capsys.readouterr().err == (
        "caption is filled by llm, because caption.model is an option of that way.\n"
    )


@pytest.mark.parametrize("sets", [["caption=realiser", ENDPOINT], [MODEL, "pitch.tries=3"]])
def test_a_way_that_was_asked_for_stays_and_lacks_the_option(sets: list[str]) -> None:
    with pytest.raises(
        OptionError, match=r"There is no option of (caption=realiser 'endpoint'|pitch=dio 'tries')"
    ):
        build_job(read_profile("embedded"), sets)
