"""Sound is read to the sample from every container, or fails with a reason."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audio import mono_16k, open_sound, read_all, read_span, stream_16k
from pipeline.clip import AudioRef, Samples
from pipeline.errors import ClipError
from tests.make import buzz, noise, tone

RATE = 16_000


def write_av(path: Path, sound: Samples, codec: str) -> None:
    """The sound through FFmpeg, with the times from which the container learns its priming."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 48_000, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


@pytest.fixture
def wave(tmp_path: Path) -> tuple[Samples, bytes]:
    """A sound and the bytes of its wav file."""
    sound = noise(3, rms=0.1)
    soundfile.write(tmp_path / "wave.wav", sound, RATE, subtype="FLOAT")
    return sound, (tmp_path / "wave.wav").read_bytes()


def whole(audio: AudioRef) -> Samples:
    with open_sound(audio) as recording:
        return read_all(recording)[:, 0]


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_a_span_is_the_same_samples_as_of_the_whole(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"long.{ending}"
    soundfile.write(path, noise(20, rms=0.1), RATE)
    with open_sound(AudioRef(str(path))) as recording:
        everything = read_all(recording)
        span = read_span(recording, 11.003, 2.5)
    start = round(11.003 * RATE)
    np.testing.assert_allclose(span, everything[start : start + round(2.5 * RATE)], atol=1e-5)


@pytest.mark.parametrize(("ending", "codec"), [("m4a", "aac"), ("webm", "libopus")])
def test_ffmpeg_reads_a_span_at_its_time(tmp_path: Path, ending: str, codec: str) -> None:
    path = tmp_path / f"long.{ending}"
    sound = np.zeros(48_000 * 8, dtype=np.float32)
    sound[48_000 * 5 : 48_000 * 6] = tone(440, 1, rate_hz=48_000)
    write_av(path, sound, codec)
    with open_sound(AudioRef(str(path))) as recording:
        span = read_span(recording, 4.5, 2.0)[:, 0]
    assert len(span) == 96_000
    onset = int(np.argmax(np.abs(span) > 0.25)) / 48_000
    assert onset == pytest.approx(0.5, abs=0.003)


def test_a_part_of_a_tar_is_read_in_place(tmp_path: Path, wave: tuple[Samples, bytes]) -> None:
    sound, data = wave
    with tarfile.open(tmp_path / "shard.tar", "w") as archive:
        for name in ("a.wav", "b.wav"):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    with tarfile.open(tmp_path / "shard.tar") as archive:
        member = archive.getmember("b.wav")
    part = f"tar:{member.offset_data}+{member.size}"
    assert np.array_equal(whole(AudioRef(str(tmp_path / "shard.tar"), part)), sound)


@given(start=st.integers(0, 50), size=st.integers(0, 50), jump=st.integers(-60, 60))
def test_a_byte_range_behaves_as_a_file_of_those_bytes(start: int, size: int, jump: int) -> None:
    from pipeline.parts import _Range

    data = bytes(range(100))
    ours, theirs = io.BufferedReader(_Range(io.BytesIO(data), start, size)), io.BytesIO(data[start:][:size])
    for whence, offset in ((io.SEEK_SET, abs(jump)), (io.SEEK_END, -min(size, abs(jump)))):
        assert ours.seek(offset, whence) == theirs.seek(offset, whence)
        assert ours.read(7) == theirs.read(7)


@pytest.mark.parametrize("row", [0, 2, 3])
def test_a_row_of_a_parquet_file_is_read(tmp_path: Path, row: int, wave: tuple[Samples, bytes]) -> None:
    sound, data = wave
    cells = [{"bytes": None, "path": "wave.wav"}] * 3 + [{"bytes": data, "path": "x.wav"}]
    pq.write_table(pa.table({"speech": cells}), tmp_path / "t.parquet", row_group_size=2)
    audio = AudioRef(str(tmp_path / "t.parquet"), f"row:{row}:speech")
    assert np.array_equal(whole(audio), sound)


def test_a_row_of_an_arrow_stream_is_read(tmp_path: Path, wave: tuple[Samples, bytes]) -> None:
    sound, data = wave
    table = pa.table({"audio": [b"", data]})
    with pa.ipc.new_stream(str(tmp_path / "t.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert np.array_equal(whole(AudioRef(str(tmp_path / "t.arrow"), "row:1")), sound)


@pytest.mark.parametrize("part", ["row:9", "row:0:text", "row:x", "zip:1"])
def test_a_part_that_does_not_exist_is_not_found(tmp_path: Path, part: str) -> None:
    pq.write_table(pa.table({"audio": [b"x"]}), tmp_path / "t.parquet")
    with pytest.raises(ClipError) as caught:
        whole(AudioRef(str(tmp_path / "t.parquet"), part))
    assert caught.value.code == "not_found"


def test_a_url_of_any_file_system_is_read(wave: tuple[Samples, bytes]) -> None:
    import fsspec

    sound, data = wave
    fsspec.filesystem("memory").pipe("/clip.wav", data)
    assert np.array_equal(whole(AudioRef("memory://clip.wav")), sound)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff", "webm"])
def test_a_file_cut_in_half_is_truncated_not_shorter(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    sound = buzz(120, 5, rate_hz=48_000) + noise(15, rms=0.01)
    if ending == "webm":
        write_av(path, sound, "libopus")
    else:
        soundfile.write(path, sound, 48_000)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ClipError) as caught:
        whole(AudioRef(str(path)))
    assert caught.value.code == "truncated"


def test_a_wav_written_to_a_pipe_states_no_length_and_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "pipe.wav"
    soundfile.write(path, noise(1), RATE)
    data = bytearray(path.read_bytes())
    data[4:8] = b"\xff" * 4
    data[40:44] = b"\xff" * 4
    path.write_bytes(data)
    assert len(whole(AudioRef(str(path)))) == RATE


def test_streaming_gives_the_sound_of_reading_all(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.stack([noise(3, seed=1), noise(3, seed=2)], axis=1), 44_100)
    with open_sound(AudioRef(str(path))) as recording:
        at_once = mono_16k(read_all(recording), 44_100)
        streamed = np.concatenate(list(stream_16k(recording, 0.25)))
    assert abs(len(streamed) - len(at_once)) <= 1
    n = min(len(streamed), len(at_once))
    np.testing.assert_allclose(streamed[:n], at_once[:n], atol=1e-4)


def test_becoming_16_khz_delays_nothing() -> None:
    click = np.zeros((48_000, 1), dtype=np.float32)
    click[24_000] = 1
    assert int(np.argmax(mono_16k(click, 48_000))) == 8_000


def test_channels_are_averaged() -> None:
    left, right = tone(300, 1), tone(500, 1)
    both = np.stack([left, right], axis=1)
    np.testing.assert_allclose(mono_16k(both, RATE), (left + right) / 2, atol=1e-6)
