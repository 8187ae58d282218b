"""Settings from CROSSLEDGER_* environment variables and, where there is one, the file .env."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.errors import ConfigurationError

_PLACEHOLDERS = {"", "changeme", "change-me", "secret", "default", "password", "test", "admin", "token"}
_MIN_SECRET = 32
_MIN_TOKEN = 20

Keys = Annotated[tuple[str, ...], NoDecode]


class Settings(BaseSettings):
    """Durations are seconds, sizes bytes. An empty `database_url` means the bundled PostgreSQL under `data_dir`."""

    model_config = SettingsConfigDict(env_prefix="CROSSLEDGER_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(default="", repr=False)
    data_dir: Path = Path("~/.crossledger")
    secret_keys: SecretStr = SecretStr("")
    """Several, separated by commas, newest first: the first one seals, all of them open."""
    secret_key: SecretStr = SecretStr("")
    """One; beside `secret_keys` it counts as the oldest."""
    admin_token: SecretStr = SecretStr("")
    public_url: str = ""
    """Empty: this machine, with our own port. No vendor can reach that."""
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "info"
    allow_private_addresses: bool = False
    """Vendors may be on this machine or in a private network. A cloud's metadata address is never called."""

    highlevel_base_url: str = "https://services.leadconnectorhq.com"
    highlevel_client_id: str = ""
    highlevel_client_secret: SecretStr = SecretStr("")
    highlevel_authorize_url: str = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
    """White-label agencies use https://marketplace.leadconnectorhq.com/v2/oauth/chooselocation."""
    highlevel_app_url: str = "https://app.gohighlevel.com"
    """Where people open HighLevel; white-label agencies have a domain of their own."""
    highlevel_webhook_public_keys: Keys = ()
    """PEM blocks or the base64 between their lines, several separated by commas. Empty: HighLevel's published key."""
    highlevel_legacy_signature: bool = False
    highlevel_legacy_public_keys: Keys = ()
    highlevel_calls: int = 100
    """Calls a connection may make within `highlevel_interval`; 0 switches the limit off."""
    highlevel_interval: float = 10
    highlevel_calls_per_day: int = 200_000
    invoice_ninja_calls: int = 0
    """0: no limit (own servers have none). The hosted service allows about 800 a minute per IP address."""
    invoice_ninja_interval: float = 60

    body_limit: int = 1_048_576
    worker_concurrency: int = 16
    poll_interval: float = Field(default=0.2, ge=0.02, le=10)
    stalled_after: float = Field(default=30, ge=1)
    """A worker without a heartbeat for this long is taken for dead and its jobs go to others."""
    retry_first: float = 2
    retry_longest: float = 3600
    retry_tries: int = 34
    """Together: tries after 2, 4, 8 ... seconds, then hourly; the last comes about a day after the first."""
    sweep_grace: float = Field(default=120, ge=0, le=1800)
    """A change that is younger when a sweep finds it is not counted as missed: its webhook may be on its way."""
    keep_events_days: int = Field(default=90, ge=1)
    """Deliveries that were answered are forgotten after this time; links and activities stay."""
    keep_audit_days: int = Field(default=730, ge=1)
    alert_failures: int = Field(default=10, ge=0)
    """More failed records of a bridge than this are told; 0: never."""
    alert_silent_hours: float = Field(default=72, ge=0)
    """So is a connection that usually sends webhooks and has sent none for this long; 0: never."""
    burst_seconds: float = Field(default=0.5, ge=0, le=60)
    """Quick changes of one record after a write of ours are taken together; the last is synced this much later."""
    claim_seconds: float = 120
    """How long a job may hold a pair of records before another may take it; longer than any vendor call."""

    @field_validator("highlevel_webhook_public_keys", "highlevel_legacy_public_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @model_validator(mode="before")
    @classmethod
    def _at_least_here(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("public_url"):
            return {**given, "public_url": f"http://127.0.0.1:{given.get('port') or 8000}"}
        return given

    @field_validator("public_url", "highlevel_app_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it must look like https://sync.example.com")
        return value.rstrip("/")

    @property
    def home(self) -> Path:
        return self.data_dir.expanduser().resolve()

    @property
    def local_url(self) -> str:
        """Where programs on this machine reach us."""
        everywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- none is listened on here
        host = everywhere.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def sealing_keys(self) -> tuple[str, ...]:
        """Newest first, each once."""
        several = (key.strip() for key in self.secret_keys.get_secret_value().split(","))
        # As it was given: a blank at its end has sealed what is stored.
        one = self.secret_key.get_secret_value()
        return tuple(dict.fromkeys(key for key in (*several, one) if key))

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that must not be repeated anywhere."""
        given = (self.admin_token, self.secret_key, self.secret_keys, self.highlevel_client_secret)
        return (*(each.get_secret_value() for each in given), *self.sealing_keys, *_password(self.database_url))

    def require_secrets(self) -> None:
        """Stop a start without real secrets. Raises ConfigurationError with what to set.

        Without an admin token there are users, and the set-up link for the first one.
        """
        keys, token = self.sealing_keys, self.admin_token.get_secret_value().strip()
        if not keys or any(key.strip().lower() in _PLACEHOLDERS or len(key.strip()) < _MIN_SECRET for key in keys):
            several = bool(self.secret_keys.get_secret_value())
            wanted = "each key of CROSSLEDGER_SECRET_KEYS" if several else "CROSSLEDGER_SECRET_KEY"
            raise ConfigurationError(
                f"Set {wanted} to a random text of at least {_MIN_SECRET} characters; it seals the stored credentials"
                " and must not get lost. For example:"
                ' python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        if token and (token.lower() in _PLACEHOLDERS or len(token) < _MIN_TOKEN):
            raise ConfigurationError(
                f"Set CROSSLEDGER_ADMIN_TOKEN to a random text of at least {_MIN_TOKEN} characters, or to nothing: it"
                ' is a key to everything. For example: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
            )


def _password(url: str) -> tuple[str, ...]:
    """As it is written in a database URL, and as it is meant."""
    written = url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    return (written, unquote(written)) if written else ()
