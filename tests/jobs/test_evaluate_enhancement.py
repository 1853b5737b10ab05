from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from jobs.evaluate import Case, enhancement, evaluate
from jobs.evaluate.enhancement import read_16k, si_sdr_db, speech_level_change_db
from jobs.evaluate.report import Table
from pipeline.clip import SAMPLE_RATE_HZ, Samples
from pipeline.errors import ClipError
from pipeline.rows import Enhance, Quality, Row
from tests.make import buzz, noise, silence, tone


def speech() -> Samples:
    return np.concatenate([silence(0.3), buzz(120, 0.5), silence(0.4), buzz(180, 0.5), silence(0.3)])


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "clean.wav", speech(), SAMPLE_RATE_HZ, subtype="FLOAT")
    return tmp_path


def table(folder: Path, raw: Samples, enhanced: Samples, *, applied: bool = True) -> Table:
    rows: dict[type[Row], Row] = {Enhance: Enhance(applied, "test")}
    labels = {"clean": "clean.wav"}
    return evaluate([Case("a", labels, folder, frozenset(), rows, lambda: raw, lambda: enhanced)]).table(
        "enhancement"
    )


@pytest.mark.parametrize("snr_db", [-5, 0, 20])
def test_si_sdr_of_orthogonal_noise_is_its_snr_at_any_scale(snr_db: int) -> None:
    voice, other = tone(200, 1.0), tone(300, 1.0)
    mixed = voice + other * np.float32(10 ** (-snr_db / 20))
    assert si_sdr_db(voice, np.float32(0.3) * mixed) == pytest.approx(snr_db, abs=0.01)


def test_si_sdr_of_silence_is_undefined() -> None:
    assert math.isnan(si_sdr_db(silence(1), tone(200, 1)))
    assert math.isnan(si_sdr_db(tone(200, 1), silence(1)))


def test_the_level_of_speech_ignores_what_lies_between_it() -> None:
    louder = 2 * speech()
    louder[: round(0.25 * SAMPLE_RATE_HZ)] = 0.9
    assert speech_level_change_db(speech(), louder) == pytest.approx(20 * math.log10(2), abs=0.01)
    assert math.isnan(speech_level_change_db(silence(1), tone(200, 1)))


def test_better_sound_scores_better_and_kept_sound_gains_nothing(clean: Path) -> None:
    noisy, less = speech() + noise(2.0, rms=0.03), speech() + noise(2.0, rms=0.01)
    better, same = table(clean, noisy, less), table(clean, noisy, noisy, applied=False)
    for gain in ("si_sdr_gain", "pesq_gain"):
        assert (better.result(gain).value or 0) > 0.1
        assert same.result(gain).value == 0
    assert better.result("si_sdr_gain").value == pytest.approx(20 * math.log10(3), abs=0.1)
    assert same.groups == {"enhanced": {"no": 1}}


def test_a_quieter_output_is_a_level_error_and_no_si_sdr_error(clean: Path) -> None:
    noisy = speech() + noise(2.0, rms=0.001)
    found = table(clean, noisy, noisy * np.float32(0.5))
    assert found.result("speech_level_bias").value == pytest.approx(-6.02, abs=0.01)
    assert found.result("speech_level_error").value == pytest.approx(6.02, abs=0.01)
    assert found.result("si_sdr_gain").value == pytest.approx(0, abs=1e-4)


def test_a_missing_pesq_package_is_named_and_the_rest_is_measured(
    clean: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enhancement, "find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "pesq", None)
    found = table(clean, speech() + noise(2.0), speech())
    assert found.missing == {"PESQ needs the package 'pesq': pip install pesq": 1}
    assert not any(r.name.startswith("pesq") for r in found.results)
    assert found.result("si_sdr_raw").n == 1


def test_silent_output_is_undefined_and_never_a_crash(clean: Path) -> None:
    found = table(clean, speech() + noise(2.0), silence(2.0))
    assert "si_sdr_enhanced" not in {r.name for r in found.results}


def test_any_rate_and_any_number_of_channels_reads_as_16k_mono(tmp_path: Path) -> None:
    both = np.stack([tone(200, 0.5, rate_hz=48_000), -tone(200, 0.5, rate_hz=48_000)], axis=1)
    soundfile.write(tmp_path / "a.wav", both, 48_000)
    assert read_16k(tmp_path / "a.wav").shape == (8000,)
    assert np.abs(read_16k(tmp_path / "a.wav")).max() < 1e-3


def test_what_cannot_be_compared_is_missing_with_its_reason(clean: Path) -> None:
    def broken() -> Samples:
        raise ClipError("decode", "It cannot be decoded.")

    sound = speech
    cases = [
        Case("a", {"clean": "absent.wav"}, clean, raw=sound, speech=sound),
        Case("b", {"clean": "clean.wav"}, clean, raw=sound),
        Case("c", {"clean": "clean.wav"}, clean, raw=lambda: silence(5), speech=sound),
        Case("d", {"clean": "clean.wav"}, clean, raw=broken, speech=sound),
    ]
    assert evaluate(cases).table("enhancement").missing == {
        "clean file not readable": 1,
        "clean file of another length": 1,
        "decode": 1,
        "no enhanced sound": 1,
    }


def test_snr_errors_are_signed_absolute_and_correlated() -> None:
    pairs = [(0.0, 2.0), (10.0, 11.0), (20.0, 17.0)]
    cases = [
        Case(str(i), {"snr_measured_db": truth}, Path(), rows={Quality: Quality(found, None)})
        for i, (truth, found) in enumerate(pairs)
    ]
    cases.append(Case("silent", {"snr_measured_db": 5.0}, Path(), rows={Quality: Quality(None, None)}))
    snr = evaluate(cases).table("snr")
    assert snr.result("bias").value == pytest.approx(0)
    assert snr.result("error").value == pytest.approx(2)
    assert snr.result("correlation").value == pytest.approx(np.corrcoef(np.array(pairs).T)[0, 1])
    assert snr.missing == {"no snr_db": 1}
