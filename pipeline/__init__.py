"""What flows and what runs it. Knows no model, no prompt, no job."""
