import pytest

from services.contract.errors import WrongSettings
from services.runtime.settings import load_settings

SECRET = "ZORVELQUIMUR"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        pytest.param({}, ["KAFKA_BOOTSTRAP"], id="missing"),
        pytest.param({"KAFKA_BOOTSTRAP": "a:1", "SANCTUAIRE_BATCH_RECORDS": SECRET}, ["SANCTUAIRE_BATCH_RECORDS"],
                     id="no number"),
        pytest.param({"KAFKA_BOOTSTRAP": "a:1", "SANCTUAIRE_BATCH_RECORDS": "0"}, ["SANCTUAIRE_BATCH_RECORDS"],
                     id="out of range"),
        pytest.param({"SANCTUAIRE_SESSION_TIMEOUT_SECONDS": SECRET},
                     ["KAFKA_BOOTSTRAP", "SANCTUAIRE_SESSION_TIMEOUT_SECONDS"], id="two at once"),
    ],
)  # fmt: skip
def test_error_names_the_variables_and_no_value(
    environment: dict[str, str], named: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WrongSettings) as raised:
        load_settings()

    assert str(raised.value) == f"set these variables of the environment right: {', '.join(named)}"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def test_variables_become_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "broker:9092")
    monkeypatch.setenv("SANCTUAIRE_PROVIDER", "gar")
    settings = load_settings()

    assert (settings.kafka_bootstrap, settings.provider, settings.batch_records) == ("broker:9092", "gar", 5000)
