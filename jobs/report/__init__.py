"""The report of a run: one page that a person opens first, with its plots beside it."""

from jobs.report.write import write_report

__all__ = ["write_report"]
