"""`speechcraft train`: the models that are the project's own. PyTorch is needed here only (extra `train`)."""

from __future__ import annotations

import typer

app = typer.Typer(help="Train the project's own models; needs speechcraft[train].", no_args_is_help=True)
