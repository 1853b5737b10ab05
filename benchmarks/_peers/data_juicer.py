"""data-juicer: a mapper of our own under its default executor; cache and `skip_op_error` as by default."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from data_juicer.config import init_configs
from data_juicer.core import DefaultExecutor


def main() -> None:
    """Annotate."""
    manifest, _, out, workers = sys.argv[1:5]
    config = {
        "project_name": "peers",
        "dataset_path": manifest,
        "export_path": f"{out}/clips.parquet",
        "work_dir": f"{out}-work",
        "job_id": "peers",
        "ds_cache_dir": f"{out}-cache",
        "np": int(workers),
        "custom_operator_paths": [str(Path(__file__).with_name("data_juicer_mapper.py"))],
        "process": [{"measures_mapper": {}}],
    }
    Path(out).mkdir(parents=True, exist_ok=True)
    path = Path(f"{out}-config.yaml")
    path.write_text(json.dumps(config))
    DefaultExecutor(init_configs(["--config", str(path)])).run()


if __name__ == "__main__":
    main()
