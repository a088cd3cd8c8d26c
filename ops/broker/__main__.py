"""`python -m ops.broker`: fetch Kafka and train its start ahead of time, for a build image or before going offline."""

import sys

from ops.broker.training import prepare
from services.contract.errors import SanctuaireError


def main() -> int:
    """0 when the next start needs no network, 1 when it could not be made so."""
    try:
        folder = prepare(progress=_count if sys.stdout.isatty() else None)
    except SanctuaireError as failure:
        print(failure, file=sys.stderr)
        return 1
    print(f"Apache Kafka is ready in {folder}")
    return 0


def _count(done: int, total: int) -> None:
    print(f"\rApache Kafka: {done} of {total} jars", end="\n" if done == total else "", flush=True)


if __name__ == "__main__":
    sys.exit(main())
