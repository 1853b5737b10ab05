"""The English acoustic model and dictionary in the pocketsphinx wheel, read as they are.

Pocketsphinx's own aligner needs two passes for the times of phones (38x real time together, as both
compute densities one by one), and its second pass fails on some clips. The same densities as matrix
products, and one exact search over every pronunciation (`_viterbi`), give words and phones at 180x real
time, nearer to hand-marked boundaries: 12.3 against 13.2 ms, 93.0 against 92.2 % within 50 ms.

The model is phonetically tied: each of the 42 phones has a codebook of 128 Gaussians in each of
three streams, which all its context-dependent states share and weigh differently.
"""

from __future__ import annotations

import struct
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from annotators.words._cepstra import Floats

Ints = npt.NDArray[np.int64]

INTERNAL, BEGIN, END, SINGLE = 0, 1, 2, 3
"""Where in its word a phone is."""

_WEIGHT_STEP: Final = 1024 * np.log(1.0001)  # mixture weights are stored as -log / this, rounded up to 8 bits
_VARIANCE_FLOOR = 1e-4
_N_STREAMS, _N_DENSITIES, _N_DIMS = 3, 128, 13
FILLERS = ("SIL", "+NSN+", "+SPN+")


def model_folder() -> Path:
    """Where the installed pocketsphinx keeps its English model."""
    return Path(str(files("pocketsphinx"))) / "model" / "en-us"


class AcousticModel:
    """Phones in context to states, and states and features to log likelihoods."""

    def __init__(self, folder: Path) -> None:
        self._read_definition((folder / "mdef").read_bytes())
        self._read_gaussians(folder)
        self._read_weights((folder / "sendump").read_bytes())
        transitions = _array(folder / "transition_matrices", 4).reshape(-1, 3, 4).astype(np.float64)
        with np.errstate(divide="ignore"):
            logs = np.log(transitions / transitions.sum(axis=2, keepdims=True))
        self.log_transitions: Floats = logs.astype(np.float32)[self._matrix]  # [n_phones, 3, 4], 3: leave
        self.silence = self.index["SIL"]
        self._fillers = {self.index[name] for name in FILLERS}
        self._in_context: dict[tuple[int, int, int, int], int] = {}

    def _read_definition(self, data: bytes) -> None:
        at = 12 + struct.unpack_from("<i", data, 8)[0]
        n_base, n_phones, n_states, _, n_senones, _, n_sequences, _, n_tree, _ = struct.unpack_from(
            "<10i", data, at
        )
        at += 40
        names = data[at:].split(b"\0", n_base)[:n_base]
        self.names: tuple[str, ...] = tuple(name.decode() for name in names)
        self.index: dict[str, int] = {name: i for i, name in enumerate(self.names)}
        at += -(-sum(len(name) + 1 for name in names) // 4) * 4
        node = np.dtype([("context", "<i2"), ("n", "<i2"), ("down", "<i4")])
        self._tree = np.frombuffer(data, node, n_tree, at)
        at += n_tree * node.itemsize
        phone = np.dtype([("sequence", "<i4"), ("matrix", "<i4"), ("context", "i1", 4)])
        phones = np.frombuffer(data, phone, n_phones, at)
        at += n_phones * phone.itemsize + 4
        sequences = np.frombuffer(data, "<u2", n_sequences * n_states, at).reshape(n_sequences, n_states)
        self.senones: Ints = sequences[phones["sequence"]].astype(np.int64)  # [n_phones, 3]
        self._matrix = phones["matrix"]
        base = np.where(np.arange(n_phones) < n_base, np.arange(n_phones), phones["context"][:, 1])
        self._codebook = np.zeros(n_senones, dtype=np.int64)
        self._codebook[self.senones] = base[:, None]

    def _read_gaussians(self, folder: Path) -> None:
        """log N(x) = x^2 . a + x . b + c, so that all Gaussians of a codebook are one product."""
        shape = (-1, _N_STREAMS, _N_DENSITIES, _N_DIMS)
        extra = 4 + _N_STREAMS  # codebooks, streams, densities, dimensions of each stream, size
        mean = _array(folder / "means", extra).reshape(shape).astype(np.float64)
        variance = np.maximum(_array(folder / "variances", extra).reshape(shape), _VARIANCE_FLOOR).astype(
            np.float64
        )
        slopes = np.concatenate([-0.5 / variance, mean / variance], axis=3)
        self._slopes: Floats = np.ascontiguousarray(slopes.transpose(0, 1, 3, 2)).astype(np.float32)
        self._offsets: Floats = (
            -0.5 * (np.log(2 * np.pi * variance) + mean**2 / variance).sum(axis=3)
        ).astype(np.float32)

    def _read_weights(self, data: bytes) -> None:
        at = 0
        while (length := struct.unpack_from("<i", data, at)[0]) != 0:
            at += 4 + length
        n_rows, n_columns = struct.unpack_from("<2i", data, at + 4)
        stored = np.frombuffer(data, np.uint8, _N_STREAMS * n_rows * n_columns, at + 12)
        weights = np.exp(-_WEIGHT_STEP * np.arange(256)).astype(np.float32)[stored]
        self._weights: Floats = np.ascontiguousarray(
            weights.reshape(_N_STREAMS, n_rows, n_columns).transpose(0, 2, 1)
        )  # [3, n_senones, 128]

    def in_context(self, phone: int, left: int, right: int, place: int) -> int:
        """The phone as said between two others; where the model lacks it, the nearest it has."""
        if phone in self._fillers:
            return phone
        left, right = (self.silence if p in self._fillers else p for p in (left, right))
        key = (phone, left, right, place)
        if key not in self._in_context:
            self._in_context[key] = self._nearest(*key)
        return self._in_context[key]

    def _nearest(self, phone: int, left: int, right: int, place: int) -> int:
        sil = self.silence
        tried = [(p, left, right) for p in (place, INTERNAL, BEGIN, END, SINGLE)]
        tried += [(place, sil, right), (place, left, sil), (place, sil, sil)]
        for where, before, after in tried:
            found = self._look_up((where, phone, before, after))
            if found is not None:
                return found
        return phone

    def _look_up(self, path: tuple[int, ...]) -> int | None:
        first, n = 0, 4
        for context in path:
            level = self._tree[first : first + n]
            hits = np.flatnonzero(level["context"] == context)
            if not len(hits):
                return None
            first, n = int(level["down"][hits[0]]), int(level["n"][hits[0]])
        return first

    def score(self, features: Floats, senones: Ints) -> Floats:
        """Log likelihood of every frame in every state asked for, [n_frames, n_senones]."""
        total = np.zeros((len(features), len(senones)), dtype=np.float32)
        inputs = np.concatenate([features * features, features], axis=2)  # [n_frames, 3, 26]
        codebooks = self._codebook[senones]
        for codebook in np.unique(codebooks):
            mine = np.flatnonzero(codebooks == codebook)
            for stream in range(_N_STREAMS):
                logs = inputs[:, stream] @ self._slopes[codebook, stream] + self._offsets[codebook, stream]
                top = logs.max(axis=1, keepdims=True)
                shares = np.exp(logs - top) @ self._weights[stream, senones[mine]].T
                total[:, mine] += np.log(shares) + top
        return total


def _array(file: Path, n_header_ints: int) -> npt.NDArray[np.float32]:
    """The numbers of a file in Sphinx's s3 format: text, a byte-order mark, sizes, floats, a checksum."""
    data = file.read_bytes()
    start = data.index(b"endhdr\n") + len(b"endhdr\n") + 4 * (1 + n_header_ints)
    return np.frombuffer(data, "<f4", (len(data) - start) // 4 - 1, start)


@cache
def acoustic_model() -> AcousticModel:
    """The one model of this process; it is never changed."""
    return AcousticModel(model_folder() / "en-us")


@cache
def dictionary() -> dict[str, tuple[str, ...]]:
    """Every word of the CMU dictionary with its pronunciations, phones apart by a space, the usual first."""
    found: dict[str, tuple[str, ...]] = {}
    with (model_folder() / "cmudict-en-us.dict").open(encoding="utf-8") as lines:
        for line in lines:
            word, _, phones = line.strip().partition(" ")
            word = word.partition("(")[0]
            found[word] = (*found.get(word, ()), phones)
    return found
