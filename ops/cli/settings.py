"""The settings of the services, looked at from outside: what each reads, and what of it cannot work.

`services.runtime.settings` has the last word; a test holds this table to it.
"""

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.broker.configuration import parse_bootstrap
from services.contract.errors import SanctuaireError

PREFIX = "SANCTUAIRE_"
BOOTSTRAP = "KAFKA_BOOTSTRAP"
MAX_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `config check`; `remedy` is empty where all is well."""

    what: str
    state: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        return not self.remedy


Check = Callable[[str], str | None]
"""What is to be done about a value, or None where it is sound; never the value itself."""


def _number(low: float, high: float, *, whole: bool) -> Check:
    def check(value: str) -> str | None:
        try:
            number = int(value) if whole else float(value)
        except ValueError:
            number = float("nan")
        bounds = f"from {low:g} to {high:g}" if high != float("inf") else f"over {low:g}"
        return None if low <= number <= high and number > 0 else f"give a {'whole ' * whole}number {bounds}"

    return check


def _addresses(value: str) -> str | None:
    try:
        parse_bootstrap(value)
    except SanctuaireError as error:
        return str(error)
    return None


def _private_file(made_by: str) -> Check:
    def check(value: str) -> str | None:
        path = Path(value)
        if not path.is_file():
            return f"no such file; {made_by}"
        if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            return "others than its owner have access; take it from them with chmod 600"
        try:
            path.open("rb").close()
        except OSError:
            return "it cannot be read by this user; run as its owner"
        return None

    return check


def _listening_address(value: str) -> str | None:
    host, _, port = value.rpartition(":")
    sound = bool(host) and port.isascii() and port.isdigit() and int(port) <= MAX_PORT
    return None if sound else "give host:port; port 0 is any free one"


def _any(_value: str) -> str | None:
    return None


_KEYS = "make the keys with `sanctuaire keys init`"
_PLATFORMS = "make one with `sanctuaire ingress token NAME --source SOURCE`"
_OPERATOR = "make one with `sanctuaire console password`"

VARIABLES: Mapping[str, Check] = {
    BOOTSTRAP: _addresses,
    f"{PREFIX}PROVIDER": _any,
    f"{PREFIX}KEYRING_FILE": _private_file(_KEYS),
    f"{PREFIX}KEY_ENCRYPTION_KEY_FILE": _private_file(_KEYS),
    f"{PREFIX}PLATFORMS_FILE": _private_file(_PLATFORMS),
    f"{PREFIX}INGRESS_ADDRESS": _listening_address,
    f"{PREFIX}OPERATOR_FILE": _private_file(_OPERATOR),
    f"{PREFIX}CONSOLE_ADDRESS": _listening_address,
    f"{PREFIX}CONSOLE_LOOK_SECONDS": _number(0.1, float("inf"), whole=False),
    f"{PREFIX}WORK_FOLDER": _any,
    f"{PREFIX}BATCH_RECORDS": _number(1, 20_000, whole=True),
    f"{PREFIX}GROUP_INSTANCE_ID": _any,
    f"{PREFIX}HEALTH_ADDRESS": _listening_address,
    f"{PREFIX}FRESH_SECONDS": _number(0, float("inf"), whole=False),
    f"{PREFIX}SILENT_SECONDS": _number(1, float("inf"), whole=False),
    f"{PREFIX}SESSION_TIMEOUT_SECONDS": _number(0, float("inf"), whole=False),
    f"{PREFIX}REQUEST_TIMEOUT_SECONDS": _number(0, float("inf"), whole=False),
}

_UNSET = {
    f"{PREFIX}KEYRING_FILE": "the pseudonymisation needs it; `sanctuaire keys init` makes one and names it",
    f"{PREFIX}KEY_ENCRYPTION_KEY_FILE": "the pseudonymisation needs it; `sanctuaire keys init` makes one and names it",
}


def check_settings(environment: Mapping[str, str]) -> list[Finding]:
    """Every setting as it is seen, and every variable of ours that no service reads."""
    found = [_look(name, environment.get(name), check) for name, check in VARIABLES.items() if name != BOOTSTRAP]
    return found + [
        Finding(name, "unknown", "no service reads it; correct its name or unset it")
        for name in sorted(environment)
        if name.startswith(PREFIX) and name not in VARIABLES
    ]


def check_bootstrap(value: str | None) -> Finding:
    return _look(BOOTSTRAP, value, _addresses)


def _look(name: str, value: str | None, check: Check) -> Finding:
    if value is None or not value.strip():
        unset = "set it to host:port" if name == BOOTSTRAP else _UNSET.get(name, "")
        return Finding(name, "not set", unset)
    remedy = check(value)
    return Finding(name, "set" if remedy is None else "wrong", remedy or "")
