"""Files that clusters are started with, to copy and fill in: docs/cluster.md."""
