"""What machines read goes to standard output as JSON; what people watch goes to standard error."""

from __future__ import annotations

import json
import sys


def emit(facts: object) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1, default=str) + "\n")
