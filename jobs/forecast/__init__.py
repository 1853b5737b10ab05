"""What a job would take on much more speech, from a sample that is really annotated."""
