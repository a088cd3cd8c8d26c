"""Reads the reference table (services/filtering/reference), once a process and only where somebody asks for it."""

import csv
import gzip
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from services.filtering.gazetteer import Commune, Entry, Gazetteer

_FOLDER = "reference"
_METROPOLE = "metro"


@cache
def load_gazetteer() -> Gazetteer:
    """All of France: some tenths of a second, and some 60 MB that stay."""
    communes = list(_rows(gzip.decompress(_bytes("communes.csv.gz"))))
    divided = {row["parent_commune"] for row in communes}
    former = [(row["name"], row["commune"]) for row in _rows(_bytes("former_communes.csv"))]
    overseas = [
        row["name"]
        for name in ("departements.csv", "regions.csv")
        for row in _rows(_bytes(name))
        if row["zone"] != _METROPOLE
    ]
    return Gazetteer([_entry(row, divided) for row in communes], former, overseas)


def _entry(row: dict[str, str], divided: set[str]) -> Entry:
    code = row["insee_code"]
    population = 0 if code in divided else int(row["population"] or 0)
    commune = Commune(code, row["parent_commune"] or code, row["departement"], row["region"], population)
    return Entry(row["name"], tuple(row["postcodes"].split()), commune)


def _rows(raw: bytes) -> Iterator[dict[str, str]]:
    return csv.DictReader(raw.decode().splitlines())


def _bytes(name: str) -> bytes:
    return files("services.filtering").joinpath(_FOLDER, name).read_bytes()
