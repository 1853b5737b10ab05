"""One command of `speechcraft` a file; imported when it is run."""
