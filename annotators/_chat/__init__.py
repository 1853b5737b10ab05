"""Language models over the OpenAI protocol: a pool of endpoints, many requests in flight, none lost."""
