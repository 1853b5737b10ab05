"""The forms people load, one a file: how a part is written."""
