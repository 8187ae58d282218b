"""The sweep: what webhooks missed is found by reading both sides, repaired by the normal jobs, and counted."""
