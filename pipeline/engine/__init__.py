"""Who computes a run: the driver, its plan, and the processes that annotate shards."""
