"""What the benchmark scripts share: processes that are measured and stopped, the gateway's surroundings, reports."""
