"""Language models served by vLLM: alone, or beside a job that asks for them."""
