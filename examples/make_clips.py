"""Make examples/clips from examples/recipes.yaml: `python -m examples.make_clips`.

Needs the Debian packages in `PACKAGES`, for nothing but this: the clips are part of the repository.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import yaml

from examples import shaping
from examples.shaping import Shape, Wave

HERE = Path(__file__).parent
PACKAGES = ("flite", "festival", "festvox-us-slt-hts", "espeak-ng", "ffmpeg")
ROOM_DB = -44.0  # the room tone under every clip, against its speech: no real recording is silent
MARGIN_S = 0.25  # of silence before and after
FESTIVAL = """
(voice_{name})
(set! utt (utt.synth (Utterance Text {text})))
(utt.save.wave utt "{file}" 'riff)
(mapcar (lambda (s) (format t "%s:%f " (item.name s) (item.feat s "end"))) (utt.relation.items utt 'Segment))
"""

Recipe = Mapping[str, Any]
Phones = list[tuple[str, float]]  # each with the time it ends, s


def main() -> None:
    """Write every clip, the manifest and the table in the README."""
    book = yaml.safe_load((HERE / "recipes.yaml").read_text())
    recipes = {name: resolve(name, book["clips"]) for name in book["clips"]}
    spoken = {name: speak(recipe, book["voices"]) for name, recipe in recipes.items()}
    rows, table = [], []
    for name, recipe in recipes.items():
        wave, voice = mix(name, recipe, spoken), book["voices"][recipe["voice"]]
        encode(wave, recipe, HERE / "clips" / recipe["file"])
        rows.append(manifest_row(name, recipe, voice))
        seconds = len(wave) / recipe["rate_hz"]
        table.append(f"| `{recipe['file']}` | {seconds:.1f} s | {voice['gender']} | {recipe['shows']} |")
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    (HERE / "clips" / "manifest.jsonl").write_text("".join(f"{line}\n" for line in lines))
    write_readme(table)


def resolve(name: str, recipes: Mapping[str, Recipe]) -> Recipe:
    """The recipe with what it takes over from another."""
    recipe = recipes[name]
    return {**recipes[recipe["as"]], **recipe} if "as" in recipe else recipe


def speak(recipe: Recipe, voices: Mapping[str, Mapping[str, str]]) -> Wave:
    """The text in its voice, shaped and stressed, without silence at its ends; at the recipe's rate."""
    voice = voices[recipe["voice"]]
    wave, rate_hz, phones = synthesise(voice["engine"], voice["name"], recipe.get("say", recipe["text"]))
    part, span_s = Shape(), (0.0, 0.0)
    if stress := recipe.get("stress"):
        span_s = find(phones, stress["phones"].split())
        part = Shape(**{key: value for key, value in stress.items() if key != "phones"})
    if "shape" in recipe or "stress" in recipe:
        wave = shaping.reshape(wave, rate_hz, Shape(**recipe.get("shape", {})), part, span_s)
    return shaping.resample(trim(wave, rate_hz), rate_hz, recipe["rate_hz"])


def synthesise(engine: str, voice: str, text: str) -> tuple[Wave, int, Phones]:
    """The wave, its rate, and its phones where the engine tells them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speech.wav"
        if engine == "flite":
            told = run("flite", "-voice", voice, "-psdur", "-t", text, "-o", str(file))
        elif engine == "festival":
            script = Path(folder) / "speak.scm"
            script.write_text(FESTIVAL.format(name=voice, text=json.dumps(text), file=file))
            told = run("festival", "--batch", str(script))
        else:
            told = run("espeak-ng", "-v", voice, "-w", str(file), text)
        wave, rate_hz = soundfile.read(file, dtype="float64")
    return wave, rate_hz, [(p, float(end)) for p, end in re.findall(r"(\w+):([\d.]+)", told)]


def run(*command: str) -> str:
    """What the command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def find(phones: Phones, word: list[str]) -> tuple[float, float]:
    """Where that run of phones begins and ends, s."""
    names = [name for name, _ in phones]
    for i in range(1, len(names) - len(word) + 1):
        if names[i : i + len(word)] == word:
            return phones[i - 1][1], phones[i + len(word) - 1][1]
    raise ValueError(f"No {' '.join(word)} in {' '.join(names)}.")


def trim(wave: Wave, rate_hz: int) -> Wave:
    """The wave with `MARGIN_S` before its first and after its last sound."""
    loud = np.flatnonzero(np.abs(wave) > 0.01 * np.max(np.abs(wave)))
    return np.pad(wave[loud[0] : loud[-1] + 1], round(MARGIN_S * rate_hz))


def mix(name: str, recipe: Recipe, spoken: Mapping[str, Wave]) -> Wave:
    """The clip as it is recorded: band, hall, level, noise and drive, in this order."""
    wave: Wave = spoken[name]
    rate_hz: int = recipe["rate_hz"]
    seed = recipe.get("as", name)
    if "band_hz" in recipe:
        wave = shaping.band_pass(wave, rate_hz, *recipe["band_hz"])
    if "hall_s" in recipe:
        wave = shaping.hall(wave, rate_hz, recipe["hall_s"], seed)
    speech_db: float = recipe.get("level_db", -26.0)
    wave = shaping.at_level(wave, rate_hz, speech_db)
    wave = wave + shaping.room_tone(wave.shape, seed) * 10 ** ((speech_db + ROOM_DB) / 20)
    if "noise" in recipe:
        snr_db: float = recipe["noise"]["snr_db"]
        noise = noise_of(recipe["noise"]["kind"], wave.size, rate_hz, name, spoken)
        wave = wave + noise / np.std(noise) * 10 ** ((speech_db - snr_db) / 20)
    if "drive_db" in recipe:
        return np.asarray(np.clip(wave * 10 ** (recipe["drive_db"] / 20), -1, 1))
    if np.max(np.abs(wave)) >= 1:
        raise ValueError(f"{name} clips: its level_db is too high.")
    return wave


def noise_of(kind: str, n_samples: int, rate_hz: int, name: str, spoken: Mapping[str, Wave]) -> Wave:
    """Noise of that kind, as long as the clip."""
    if kind == "white":
        return shaping.white(n_samples, name)
    if kind == "hum":
        return shaping.hum(n_samples, rate_hz)
    others = ("forecast", "bedtime", "seven", "match", "asleep", "zh-weather")  # all at 16 kHz
    return shaping.babble(n_samples, [spoken[other] for other in others], name)


def encode(wave: Wave, recipe: Recipe, file: Path) -> None:
    """Write the wave; the same bytes for the same ffmpeg."""
    channels = 1 if wave.ndim == 1 else wave.shape[1]
    layout = f"-f f32le -ar {recipe['rate_hz']} -ac {channels} -i pipe:0 {recipe['encode']}"
    exact = "-map_metadata -1 -fflags +bitexact -flags:a +bitexact -threads 1"
    command = ["ffmpeg", "-v", "error", "-y", *shlex.split(f"{layout} {exact}"), str(file)]
    subprocess.run(command, check=True, input=wave.astype("<f4").tobytes())


def manifest_row(name: str, recipe: Recipe, voice: Mapping[str, str]) -> dict[str, str]:
    """The clip's line of the manifest."""
    given = {
        "text": recipe["text"],
        "language": "zh" if "say" in recipe else "en",
        "speaker": recipe["voice"],
        "gender": voice["gender"],
        **recipe.get("given", {}),
        "licence": "CC0-1.0",
        "source": f"{voice['engine']}, voice {voice['name']}",
    }
    hidden = recipe.get("hide", ())
    return {"id": name, "audio": recipe["file"], **{k: v for k, v in given.items() if k not in hidden}}


def write_readme(clips: list[str]) -> None:
    """Bring the list of tools and the table of clips in the README up to date."""
    tools = run("dpkg-query", "-W", "-f", "| ${Package} | ${Version} |\n", *PACKAGES).splitlines()
    readme = HERE / "README.md"
    text = readme.read_text()
    for mark, rows in (("clips", clips), ("tools", tools)):
        before, _, rest = text.partition(f"<!-- {mark} -->\n")
        heading, rule, *body = rest.splitlines(keepends=True)
        after = "".join(body[[line.startswith("|") for line in body].index(False) :])
        text = f"{before}<!-- {mark} -->\n{heading}{rule}" + "".join(f"{row}\n" for row in rows) + after
    readme.write_text(text)


if __name__ == "__main__":
    main()
