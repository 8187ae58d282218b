"""What each setting means, as the README says it."""

from collections.abc import Mapping
from types import MappingProxyType

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "secret_key": "Seals the stored credentials; at least 32 random characters. Must not get lost.",
        "secret_keys": (
            "Several such keys, separated by commas, newest first: the first one seals, all of them open. "
            "CROSSLEDGER_SECRET_KEY counts as the oldest."
        ),
        "admin_token": (
            "An API token with the role owner; at least 20 random characters. Empty: only users and their tokens."
        ),
        "public_url": "Where the vendors reach the service, from outside: https://sync.example.com.",
        "host": "Address to listen on.",
        "port": "Port to listen on; with Docker, the one published on the host.",
        "log_level": "debug, info, warning or error.",
        "allow_private_addresses": (
            "true: Invoice Ninja, mail servers and webhooks that are told may be on this machine or in a "
            "private network. A cloud's metadata address is never called."
        ),
        "database_url": "A PostgreSQL 14 or newer. Empty: the bundled one.",
        "data_dir": "Where the bundled one keeps its data. The .env that make run writes says .data.",
        "highlevel_base_url": "For new HighLevel connections.",
        "highlevel_client_id": "Your Marketplace app's client id; events of other apps are ignored.",
        "highlevel_client_secret": "Its secret; needed to connect locations in the browser.",
        "highlevel_authorize_url": (
            "The page where an owner agrees; white-label agencies: "
            "https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation."
        ),
        "highlevel_app_url": (
            "Where people open HighLevel, to link its records and to let it frame status pages; white-label agencies:"
            " their own domain."
        ),
        "highlevel_webhook_public_keys": (
            "Ed25519 keys that webhooks may be signed with, separated by commas; each as one line of base64 "
            "(the middle of its PEM)."
        ),
        "highlevel_legacy_signature": "Accept the older RSA signature where the new one is missing.",
        "highlevel_legacy_public_keys": "RSA keys for it, separated by commas.",
        "highlevel_calls": "Calls that one connection may make in an interval; 0: no limit.",
        "highlevel_interval": "That interval.",
        "highlevel_calls_per_day": "Calls that one connection may make in a day; 0: no limit.",
        "invoice_ninja_calls": "As above; the hosted service allows about 800 a minute for each IP address.",
        "invoice_ninja_interval": "That interval.",
        "body_limit": "Largest request body that is accepted.",
        "worker_concurrency": "Records that one worker brings in step at the same time.",
        "poll_interval": "How often a worker looks for jobs that it was not told about.",
        "stalled_after": "A worker without a sign of life for this long is taken for dead; others do its jobs.",
        "retry_first": "Pause before the first new try; it doubles each time ...",
        "retry_longest": "... up to this ...",
        "retry_tries": "... and ends after so many tries.",
        "sweep_grace": "A change that is younger when a sweep finds it (seconds) is not counted as missed.",
        "keep_events_days": (
            "Deliveries that were answered are forgotten after this many days; links and activities stay."
        ),
        "keep_audit_days": "Entries of the audit log are forgotten after this many days.",
        "alert_failures": "More failed records than this on one bridge are told through the channels; 0: never.",
        "alert_silent_hours": (
            "So is a connection that usually sends webhooks, and has sent none for so many hours; 0: never."
        ),
        "burst_seconds": (
            "Quick changes of one record after a write are taken together, so that a burst of them costs two "
            "syncs; 0 switches this off."
        ),
        "claim_seconds": "How long one job may hold a pair of records; longer than any call to a vendor.",
    }
)
