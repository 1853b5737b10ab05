"""What pages for people share: harmless text, sound a browser plays, and the drawing of one clip."""

from jobs.pages.drawing import drawing
from jobs.pages.figure import Figure, Spoken, figure_of
from jobs.pages.sound import data_url
from jobs.pages.text import asset, harmless, shortened

__all__ = ["Figure", "Spoken", "asset", "data_url", "drawing", "figure_of", "harmless", "shortened"]
