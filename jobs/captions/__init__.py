"""What captions are like, counted: faults, lengths, sources, where the words stand, how varied they are."""

from jobs.captions.captioned import Captioned, captioned
from jobs.captions.report import Report, Reporter

__all__ = ["Captioned", "Report", "Reporter", "captioned"]
