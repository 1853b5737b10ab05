"""A finished run against human labels: metrics as pure functions, and the report they make."""

from jobs.evaluate.case import Case
from jobs.evaluate.compare import evaluate
from jobs.evaluate.report import Report

__all__ = ["Case", "Report", "evaluate"]
