"""Settings of a service: from the environment, and secrets from files only."""

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.contract.errors import WrongSettings

ADDRESS = r"^(\[[0-9A-Fa-f:.]+\]|[^:\[\]\s]+):[0-9]{1,5}$"


class Settings(BaseSettings):
    """Read from `SANCTUAIRE_…`; `KAFKA_BOOTSTRAP` has the name that every Kafka tool knows."""

    model_config = SettingsConfigDict(env_prefix="SANCTUAIRE_", frozen=True, extra="ignore")

    kafka_bootstrap: str = Field(alias="KAFKA_BOOTSTRAP", min_length=3)
    provider: str | None = None
    """Connectors only: which provider this process tells."""
    keyring_file: Path | None = None
    """Pseudonymisation only: the sealed keyring."""
    key_encryption_key_file: Path | None = None
    """Pseudonymisation only: 32 raw bytes that open it; a path, so that no secret is in the environment."""
    platforms_file: Path | None = None
    """Ingress only: who may post, and of whom."""
    ingress_address: str = Field(default="127.0.0.1:8070", pattern=ADDRESS)
    """Where ingress is posted to. It speaks no TLS: what ends TLS stands before it."""
    operator_file: Path | None = None
    """Console only: the account of who may look, made by `sanctuaire console password`."""
    console_address: str = Field(default="127.0.0.1:8071", pattern=ADDRESS)
    """Where the operators' page is. It speaks no TLS: what ends TLS stands before it."""
    console_look_seconds: float = Field(default=2.0, ge=0.1)
    """Console only: how often it looks where topics end; a verdict rests on fifteen looks."""
    work_folder: Path = Path("run")
    """Where a worker may write: nothing there outlives a rebuild."""
    batch_records: int = Field(default=5000, ge=1, le=20_000)
    """Most records that one batch of one partition holds."""
    group_instance_id: str | None = None
    """Static membership (KIP-345): a restarted worker takes its partitions back without a rebalance."""
    health_address: str = Field(default="127.0.0.1:0", pattern=ADDRESS)
    """Where `/livez`, `/readyz` and `/metrics` are answered; with port 0 on a free one, which health.json names."""
    fresh_seconds: float = Field(default=30.0, gt=0)
    """Filtering only: how old what it knows of consents and of policies may be while it releases anything."""
    silent_seconds: float = Field(default=60.0, ge=1)
    """Who has made no progress for so long ends itself, to be started again."""
    session_timeout_seconds: float = Field(default=10.0, gt=0)
    request_timeout_seconds: float = Field(default=30.0, gt=0)


def load_settings() -> Settings:
    """Settings of this process.

    Raises:
        WrongSettings: naming the variables that are missing or wrong, never their values.
    """
    try:
        return Settings()
    except ValidationError as error:
        names = sorted({_variable(str(part["loc"][0])) for part in error.errors(include_input=False)})
        message = f"set these variables of the environment right: {', '.join(names)}"
        raise WrongSettings(message) from None


def _variable(field: str) -> str:
    """An alias is a variable already; any other field has the prefix."""
    return field if field.isupper() else f"SANCTUAIRE_{field.upper()}"
