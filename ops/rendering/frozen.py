"""Whether a published schema still is what was published. Writes nothing."""

import hashlib
from pathlib import Path

LIST = "published.sha256"
"""In the form of `sha256sum`, which writes it and can check it too."""


def changed_since_published(folder: Path) -> list[str]:
    """Name the published schemas that have changed or gone; before the first publication there is no list."""
    listing = folder / LIST
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    return [name for digest, _, name in (line.partition("  ") for line in lines) if _digest(folder / name) != digest]


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None
