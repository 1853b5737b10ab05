"""The one interface: a batch of clips in, as many outcomes out, in the same order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from pipeline.clip import Clip, Samples
from pipeline.errors import ClipError
from pipeline.journal import Journal
from pipeline.models import Located, Published, locate
from pipeline.rows import Row

R = TypeVar("R", bound=Row)
B = TypeVar("B")
Hears = Literal["raw", "speech"]


@dataclass(frozen=True, slots=True)
class Skip:
    """This clip is not for this annotator; not an error."""

    reason: str


@dataclass(frozen=True, slots=True)
class Model:
    """What an annotator's numbers come from, besides its code.

    `identity` goes into the fingerprint: a revision, a content hash, or a package version.
    """

    name: str
    identity: str
    licence: str
    commercial: bool = True
    source: str = ""


class Annotator(Generic[R]):
    """One way to fill one family of columns.

    A subclass lives in `annotators/<family>/<way>.py`, declares the facts below, takes its options
    as keyword-only constructor arguments (`Annotated[type, Option(...)]`) and implements `annotate`.
    After `__init__` it is ready. The facts are readable without loading anything heavy.
    """

    row: ClassVar[type[Row]]
    """The row it writes; the row's family is the folder it lives in."""
    version: ClassVar[int]
    """Raise it when the same options begin to give other values."""
    needs: ClassVar[tuple[type[Row], ...]] = ()
    """Without these rows a clip is not annotated."""
    wants: ClassVar[tuple[type[Row], ...]] = ()
    """These rows are read where present."""
    hears: ClassVar[Hears | None] = None
    """`raw` sound as decoded, `speech` (enhanced where enhancement applied), or none."""
    sees: ClassVar[frozenset[str]] = frozenset()
    """The fields of `clip.given` it is shown."""
    languages: ClassVar[frozenset[str] | None] = None
    """The languages it serves; clips of others are skipped. None: all."""
    exact: ClassVar[bool] = True
    """Same job, same bytes. False: same values within `tolerance`."""
    tolerance: ClassVar[str] = ""
    batch_clips: int = 16
    """Most clips in a batch; an instance may set its own, as one on a processor does."""
    batch_s: float = 600.0
    """Most seconds of sound in a batch, padding counted where clips are sorted by length."""
    sorts_by_length: ClassVar[bool] = False
    """Whether batches are made of clips of like length, so that little is padded."""

    @classmethod
    def complete(cls, options: Mapping[str, object]) -> Mapping[str, object]:
        """The options with what only the surroundings can tell: the model that an endpoint serves.

        Asked once, where a job is made; whoever annotates is told.
        """
        return options

    @classmethod
    def published(cls, options: Mapping[str, object]) -> tuple[Published, ...]:
        """The published models these options name; looks nothing up."""
        return ()

    @classmethod
    def models(cls, options: Mapping[str, object]) -> tuple[Model, ...]:
        """The models these options would load, as found on this machine; loads nothing.

        Raises ModelError where one is missing.
        """
        return tuple(_model(locate(published)) for published in cls.published(options))

    @classmethod
    def check(cls, options: Mapping[str, object]) -> None:
        """Prove, before any worker starts, that the models can be loaded; ModelError if not."""

    @classmethod
    def salt(cls, options: Mapping[str, object]) -> str:
        """Anything else the values depend on (the text of a lexicon or prompt), as stable text."""
        return ""

    @classmethod
    def from_given(cls, clip: Clip) -> Row | None:
        """The whole row where the source gives it, so that nothing need be recognised."""
        return None

    def annotate(self, clips: Sequence[Clip]) -> Sequence[R | Skip | ClipError]:
        """One outcome per clip, in order. Raising fails the batch, which is then tried clip by clip."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Heard(Generic[R]):
    """A row together with the sound it describes; `samples=None` leaves the sound as it was."""

    row: R
    samples: Samples | None


class SoundAnnotator(Annotator[R]):
    """An annotator that also makes sound: the decoder, an enhancer. Implements `hear`."""

    def hear(self, clips: Sequence[Clip]) -> Sequence[Heard[R] | Skip | ClipError]:
        """One outcome per clip, in order."""
        raise NotImplementedError


class BatchedAnnotator(Annotator[R], Generic[R, B]):
    """An annotator that runs a network over padded batches: the next is prepared while one is inferred.

    `prepare` is called from another thread than `infer` and must not touch what `infer` changes.
    """

    sorts_by_length = True

    def prepare(self, clips: Sequence[Clip]) -> B:
        """What the network takes in: decoding, features, padding. On the processor."""
        raise NotImplementedError

    def infer(self, clips: Sequence[Clip], batch: B) -> Sequence[R | Skip | ClipError]:
        """One outcome per clip, in order."""
        raise NotImplementedError

    def annotate(self, clips: Sequence[Clip]) -> Sequence[R | Skip | ClipError]:
        """Prepare and infer."""
        return self.infer(clips, self.prepare(clips))


@dataclass(frozen=True, slots=True)
class Away:
    """A service that does not answer, and how many clips wait for it. `since`: seconds of the Unix epoch."""

    service: str
    reason: str
    since: float
    clips: int


class AskingAnnotator(Annotator[R]):
    """An annotator that asks a service, many clips at once: its batch is the whole shard.

    An answer is noted in the journal the moment it comes and never asked for again. There is no deadline
    for a service, which may be away for hours; there is one for `ask` to call `alive` again, so that
    what is stuck here, in a check of some answer, ends like any other batch that hangs. Each request
    needs a timeout of its own.
    """

    batch_clips = sys.maxsize
    batch_s = float("inf")

    def ask(
        self, clips: Sequence[Clip], journal: Journal, alive: Callable[[], None]
    ) -> Sequence[R | Skip | ClipError]:
        """One outcome per clip, in order."""
        raise NotImplementedError

    def away(self) -> Sequence[Away]:
        """The services that do not answer now; called from another thread, while `ask` waits for them."""
        return ()

    def waited_s(self) -> float:
        """Seconds, since it was made, in which its questions waited for services that did not answer."""
        return 0.0

    def annotate(self, clips: Sequence[Clip]) -> Sequence[R | Skip | ClipError]:
        """Ask, and remember nothing."""
        return self.ask(clips, Journal(), lambda: None)


class CalibratedAnnotator(Annotator[R]):
    """An annotator whose thresholds come from the corpus and are then frozen with the run."""

    measures: ClassVar[tuple[type[Row], ...]]
    """The rows thresholds are made from."""

    @classmethod
    def calibrate(cls, clips: Iterable[Clip], options: Mapping[str, object]) -> Mapping[str, object]:
        """Thresholds as JSON, from clips that carry `measures`; passed to the constructor as `thresholds`."""
        raise NotImplementedError


def _model(found: Located) -> Model:
    published = found.published
    return Model(published.name, found.identity, published.licence, published.commercial, published.about)
