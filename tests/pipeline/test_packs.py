"""A thousand files in one, and whoever reads them need not know."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pipeline import packing, placing
from pipeline.engine import packer
from pipeline.engine.flow import Outcome, annotate
from pipeline.engine.inline import InlineEngine
from pipeline.errors import RunError
from pipeline.packing import pack_up
from pipeline.packs import is_pack
from pipeline.rundir import DATASET, MANIFEST
from pipeline.sidecar import provenance
from pipeline.storage import Store
from tests.fakes import Silent, items_of, job_of
from tests.listings import listings
from tests.s3.server import S3


@pytest.fixture(params=["local", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        server: S3 = request.getfixturevalue("s3")
        return Store(f"{server.bucket()}/run")
    return Store(str(tmp_path / "run") if request.param == "local" else f"memory://{tmp_path}")


def files_of(count: int) -> dict[str, bytes]:
    return {f"shard-{i:05d}-{i:012x}.parquet": bytes([i]) * (i * 100) for i in range(count)}


def paths(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"key@1/{name}": data for name, data in files.items()}


def test_what_is_packed_is_there_under_its_own_name(store: Store) -> None:
    files = files_of(20)
    for path, data in paths(files).items():
        store.write(path, data)
    other = Store(store.url)
    assert other.read("key@1/shard-00003-000000000003.parquet") == bytes([3]) * 300
    pack_up(store, "key@1", [paths(files)])
    assert len(store.files()) == 1
    for reader in (store, other, Store(store.url)):
        assert reader.names("key@1") == set(paths(files))
        assert {path: reader.read(path) for path in paths(files)} == paths(files)
        assert bytes(reader.map("key@1/shard-00007-000000000007.parquet")) == bytes([7]) * 700
        assert reader.exists("key@1/shard-00000-000000000000.parquet")
        assert not reader.exists("key@1/shard-00021-000000000021.parquet")
        with pytest.raises(FileNotFoundError):
            reader.read("key@1/shard-00021-000000000021.parquet")


def test_the_same_files_make_the_same_pack(store: Store) -> None:
    store.pack("a", files_of(5))
    (first,) = store.files("a")
    before = store.read(first)
    store.pack("a", dict(reversed(files_of(5).items())))
    assert store.files("a") == {first}
    assert store.read(first) == before


def test_a_pack_is_a_zip_that_anybody_opens(tmp_path: Path) -> None:
    Store(str(tmp_path)).pack("key@1", files_of(3))
    (pack,) = (tmp_path / "key@1").iterdir()
    with zipfile.ZipFile(pack) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files_of(3)


def test_what_is_taken_out_of_a_pack_is_in_no_file(store: Store) -> None:
    store.pack("key@1", files_of(5))
    other = Store(store.url)
    gone, stays = "key@1/shard-00002-000000000002.parquet", "key@1/shard-00003-000000000003.parquet"
    assert other.read(gone)
    store.remove_files([gone, "key@1/shard-00004-000000000004.parquet"])
    assert len(store.files()) == 1
    for reader in (store, other):
        assert len(reader.names()) == 3
        assert not reader.exists(gone)
        assert reader.read(stays) == bytes([3]) * 300
    store.remove("key@1")
    assert store.files() == set()


def test_a_plain_file_goes_before_its_copy_in_a_pack_made_before(store: Store) -> None:
    name = "key@1/shard-00002-000000000002.parquet"
    store.pack("key@1", files_of(5))
    store.remove(name)
    store.write(name, b"computed again")
    assert Store(store.url).read(name) == b"computed again"


def test_a_kill_while_packing_loses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(self: Store, paths: object) -> None:
        raise KeyboardInterrupt

    files = files_of(5)
    for path, data in paths(files).items():
        store.write(path, data)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "remove_plain", killed)
        with pytest.raises(KeyboardInterrupt):
            pack_up(store, "key@1", [paths(files)])
    assert {path: Store(store.url).read(path) for path in store.names()} == paths(files)
    pack_up(store, "key@1", [paths(files)])
    assert len(store.files()) == 1


def test_a_damaged_pack_is_named(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.pack("key@1", files_of(5))
    (pack,) = (tmp_path / "key@1").iterdir()
    data = bytearray(pack.read_bytes())
    data[700] ^= 1
    pack.write_bytes(data)
    with pytest.raises(RunError, match=r"pack-00000-00004-\w+\.zip is damaged"):
        [store.read(path) for path in paths(files_of(5))]
    pack.write_bytes(data[:-30])
    with pytest.raises(RunError, match="is damaged"):
        Store(str(tmp_path)).names()


def run(store: Store, clips: int, **rest: object) -> Outcome:
    return annotate(items_of(clips), job_of(shard_size=2, **rest), store, InlineEngine(), Silent())  # type: ignore[arg-type]


def test_a_run_packs_what_is_complete_and_its_dataset_is_the_same(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Store(str(tmp_path / "plain"))
    run(plain, 25)
    for module in (packer, placing):
        monkeypatch.setattr(module, "PACK_SHARDS", 5)
    outcome = run(store, 25)
    for way in outcome.job.ways:
        files = store.files(way.key)
        assert sum(map(is_pack, files)) == 2  # and 3 of 13 shards by themselves
        assert sum(name.endswith(".parquet") for name in files) == 3
    assert sum(map(is_pack, store.files(MANIFEST))) == 2
    assert {n: store.read(n) for n in store.names(DATASET)} == {
        n: plain.read(n) for n in plain.names(DATASET)
    }
    assert sum(p.tasks for p in run(store, 25).phases) == 0
    again = run(store, 25, peak={"factor": 2.0})
    assert again.joined.ok == 25
    way = again.job.of("peak")[0]
    assert provenance(store, again.shards[0].sidecar(way.key))["fingerprint"] == way.fingerprint
    appended = run(store, 30, peak={"factor": 2.0})
    assert sum(p.tasks for p in appended.phases) == 3


def test_what_a_killed_run_left_unpacked_is_packed_by_the_next_though_it_has_nothing_to_do(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [way.key for way in run(store, 25).job.ways]
    before = {name: store.read(name) for name in store.names()}
    monkeypatch.setattr(packer, "PACK_SHARDS", 5)
    with monkeypatch.context() as patch:
        listed = listings(patch)
        assert sum(phase.tasks for phase in run(store, 25).phases) == 0
        assert all(listed.count(key) <= 3 for key in keys)  # what there is, to pack, to join
    for key in keys:
        assert sum(map(is_pack, store.files(key))) == 2
    assert {name: store.read(name) for name in store.names()} == before


def test_a_few_files_are_not_worth_a_pack(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    wanted = paths(files_of(40))
    for path in sorted(wanted)[: 40 // packing.WORTH_IT - 1]:
        store.write(path, b"")
    pack_up(store, "key@1", [wanted])
    assert not any(map(is_pack, store.files()))
