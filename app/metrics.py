"""Counters and gauges for /metrics. Labels are few and never hold an id or a secret."""

from prometheus_client import Counter, Gauge, Histogram

DELIVERIES = Counter("crossledger_deliveries", "Webhook deliveries answered", ["provider", "status"])
SYNCS = Counter("crossledger_syncs", "Attempts to bring a record in step", ["outcome"])
SYNC_SECONDS = Histogram(
    "crossledger_sync_seconds", "Duration of such attempts", buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)
)
VENDOR_CALLS = Counter("crossledger_vendor_calls", "Calls to a vendor", ["vendor", "status"])
PENDING = Gauge("crossledger_events_pending", "Events that no job has answered yet")
OLDEST = Gauge("crossledger_oldest_pending_seconds", "Age of the oldest of them")
LINKS = Gauge("crossledger_links", "Records by state", ["state"])
