"""Plots: each is drawn once, and stands in the page as SVG and beside it as SVG and PNG."""

from jobs.report.plots.style import Plot

__all__ = ["Plot"]
