"""What a person starts: the command line, job files, evaluation."""
