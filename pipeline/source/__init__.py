"""Where speech comes from: `open_source` turns what a person names into items, one per clip."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.errors import unknown
from pipeline.options import options_of, resolve
from pipeline.source.base import Item, Source
from pipeline.source.detect import form_of
from pipeline.source.folder import FolderSource
from pipeline.source.huggingface import HuggingFaceSource
from pipeline.source.kaldi import KaldiSource
from pipeline.source.lhotse import LhotseSource
from pipeline.source.manifest import ManifestSource
from pipeline.source.webdataset import WebDatasetSource

__all__ = ["FORMS", "Item", "Source", "named_form", "open_source"]

FORMS: Mapping[str, type[Source]] = {
    cls.form: cls
    for cls in (FolderSource, ManifestSource, WebDatasetSource, HuggingFaceSource, KaldiSource, LhotseSource)
}
"""Every form by the name that may stand before the path, as in `kaldi:data/train`."""


def open_source(url: str, *, options: Mapping[str, object] | None = None) -> Source:
    """The source a person names: `PATH`, whose form is told from it, or `FORM:PATH`.

    SourceError where nothing there can be read as speech, OptionError for an option the form lacks.
    """
    form, path = named_form(url) or form_of(url)
    cls = FORMS[form]
    given = dict(options or {})
    known = [name for name in options_of(cls) if name != "url"]
    for name in given:
        if name not in known:
            raise unknown(f"option of the source {form}", name, known)
    return cls(**resolve(cls, f"source {form}", {**given, "url": path}))


def named_form(url: str) -> tuple[str, str] | None:
    """The form a url names and the rest of it; none where it names none."""
    form, colon, path = url.partition(":")
    return (form, path) if colon and form in FORMS and not path.startswith("//") else None
