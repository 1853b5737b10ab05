"""One exact search for the likeliest way the words were said: which pronunciation, where, what pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from annotators.words._cepstra import Floats
from annotators.words._sphinx import BEGIN, END, INTERNAL, SINGLE, AcousticModel, Ints

Pronunciation = tuple[str, ...]
PAUSE = -1
"""In place of a word's index: a pause."""
_START = -1
_LOG_PAUSE = float(np.log(0.5))  # a pause between two words is as likely as none


@dataclass(frozen=True, slots=True)
class Node:
    """A phone of a word (or a pause) in context, and the nodes it may follow."""

    phone: int
    triphone: int
    word: int
    before: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """Frames `start`..`end` (exclusive) of the best path in one phone."""

    word: int
    phone: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Path:
    """The best path, and by how much its frames of speech fall short of the best state, in nats a frame."""

    segments: tuple[Segment, ...]
    shortfall: float


class Network:
    """Every way to say the words in order, a pause or none between them, as nodes in topological order."""

    def __init__(self, model: AcousticModel, words: Sequence[Sequence[Pronunciation]]) -> None:
        self._model = model
        self.nodes: list[Node] = []
        sil = model.silence
        lead = self._add(sil, sil, PAUSE, [_START])
        # what the next word may follow: node, its phone, the phone it expects (None: any)
        entries: list[tuple[int, int, int | None]] = [(_START, sil, None), (lead, sil, None)]
        for index, ways in enumerate(words):
            following = words[index + 1] if index + 1 < len(words) else ()
            rights = [*sorted({model.index[p[0]] for p in following} - {sil}), sil]
            exits: list[tuple[int, int, int | None]] = []
            for way in ways:
                exits += self._say([model.index[p] for p in way], index, entries, rights)
            before_pause = [node for node, _, right in exits if right == sil]
            pause = self._add(sil, sil, PAUSE, before_pause)
            entries = [e for e in exits if e[2] != sil] + [(pause, sil, None)]
            self.last = [*before_pause, pause]

    def _add(self, phone: int, triphone: int, word: int, before: Sequence[int]) -> int:
        self.nodes.append(Node(phone, triphone, word, tuple(before)))
        return len(self.nodes) - 1

    def _say(
        self, way: list[int], word: int, entries: list[tuple[int, int, int | None]], rights: list[int]
    ) -> list[tuple[int, int, int | None]]:
        """Add one pronunciation: its first phone once per left neighbour, its last once per right one."""
        triphone = self._model.in_context
        lefts: dict[int, list[int]] = {}
        for node, phone, expects in entries:
            if expects is None or expects == way[0]:
                lefts.setdefault(phone, []).append(node)
        first, last = way[0], way[-1]
        if len(way) == 1:
            return [
                (self._add(first, triphone(first, left, right, SINGLE), word, nodes), first, right)
                for left, nodes in lefts.items()
                for right in rights
            ]
        here = [
            self._add(first, triphone(first, left, way[1], BEGIN), word, nodes)
            for left, nodes in lefts.items()
        ]
        for before, phone, after in zip(way, way[1:], way[2:], strict=False):
            here = [self._add(phone, triphone(phone, before, after, INTERNAL), word, here)]
        return [
            (self._add(last, triphone(last, way[-2], right, END), word, here), last, right)
            for right in rights
        ]

    def search(self, features: Floats, beam: float) -> Path | None:
        """The best path through states within `beam` nats of the best; None if no path gets to the end."""
        senones, columns = np.unique(
            self._model.senones[[node.triphone for node in self.nodes]], return_inverse=True
        )
        scores = self._model.score(features, senones)
        columns = columns.reshape(-1)
        before, costs = self._arcs()
        states = _best_states(
            scores, columns, before, costs, self._starts(), [3 * node + 2 for node in self.last], beam
        )
        if states is None:
            return None
        return Path(self._segments(states), self._shortfall(scores, columns, states))

    def _starts(self) -> list[int]:
        return [3 * i for i, node in enumerate(self.nodes) if _START in node.before]

    def _arcs(self) -> tuple[Ints, Floats]:
        """For every state (three a node) the states it may follow, and at what log probability."""
        logs = self._model.log_transitions[[node.triphone for node in self.nodes]]  # [n_nodes, 3, 4]
        width = max(3, 1 + max(len(node.before) for node in self.nodes))
        before = np.zeros((len(self.nodes), 3, width), dtype=np.int64)
        costs = np.full((len(self.nodes), 3, width), -np.inf, dtype=np.float32)
        state = 3 * np.arange(len(self.nodes))
        for to, slot, since in ((0, 0, 0), (1, 0, 1), (2, 0, 2), (1, 1, 0), (2, 1, 1), (2, 2, 0)):
            before[:, to, slot] = state + since
            costs[:, to, slot] = logs[:, since, to]
        for i, node in enumerate(self.nodes):
            entry = _LOG_PAUSE if node.word == PAUSE else 0.0
            for slot, previous in enumerate((p for p in node.before if p != _START), start=1):
                before[i, 0, slot] = 3 * previous + 2
                costs[i, 0, slot] = logs[previous, 2, 3] + entry
        return before.reshape(-1, width), costs.reshape(-1, width)

    def _segments(self, states: Ints) -> tuple[Segment, ...]:
        nodes = states // 3
        edges = [0, *(np.flatnonzero(np.diff(nodes)) + 1).tolist(), len(nodes)]
        return tuple(
            Segment(self.nodes[nodes[start]].word, self.nodes[nodes[start]].phone, start, end)
            for start, end in pairwise(edges)
        )

    def _shortfall(self, scores: Floats, columns: Ints, states: Ints) -> float:
        spoken = np.array([node.word != PAUSE for node in self.nodes])[states // 3]
        taken = scores[np.arange(len(scores)), columns[states]]
        return float(np.mean((scores.max(axis=1) - taken)[spoken])) if spoken.any() else np.inf


def _best_states(
    scores: Floats,
    columns: Ints,
    before: Ints,
    costs: Floats,
    starts: list[int],
    ends: list[int],
    beam: float,
) -> Ints | None:
    """Viterbi over states in topological order; only the stretch of states within the beam is looked at."""
    n_frames, (n_states, width) = len(scores), before.shape
    reach = np.arange(n_states)
    for slot in range(width):
        real = np.isfinite(costs[:, slot])
        np.maximum.at(reach, before[real, slot], np.flatnonzero(real))
    best = np.full(n_states, -np.inf, dtype=np.float32)
    best[starts] = scores[0, columns[starts]]
    choices = np.zeros((n_frames, n_states), dtype=np.int8 if width < 128 else np.int16)
    low, high = 0, max(starts) + 1
    for frame in range(1, n_frames):
        live = best[low:high]
        live[live < live.max() - beam] = -np.inf
        alive = np.flatnonzero(live > -np.inf)
        if not len(alive):
            return None
        new_low, new_high = low + int(alive[0]), int(reach[low + alive].max()) + 1
        candidates = best[before[new_low:new_high]] + costs[new_low:new_high]
        choice = candidates.argmax(axis=1)
        choices[frame, new_low:new_high] = choice
        best[low:high] = -np.inf
        low, high = new_low, new_high
        best[low:high] = candidates[np.arange(high - low), choice] + scores[frame, columns[low:high]]
    state = max(ends, key=lambda s: best[s])
    if not np.isfinite(best[state]):
        return None
    path = np.empty(n_frames, dtype=np.int64)
    for frame in range(n_frames - 1, -1, -1):
        path[frame] = state
        state = int(before[state, choices[frame, state]])
    return path
