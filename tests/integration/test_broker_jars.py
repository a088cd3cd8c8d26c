import hashlib
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ops.broker.fetching import fetch_into
from ops.broker.jars import default_cache, installed_jars, kafka_folder
from ops.broker.lock import Jar
from services.contract.errors import Unreachable

CONTENT = b"not a real jar, but these very bytes"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a Maven repository on this machine, the only one that jgo is told of."""
    folder = tmp_path / "repository"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        only_repository(f"http://127.0.0.1:{server.server_address[1]}", tmp_path, monkeypatch)
        yield folder
        server.shutdown()


def only_repository(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = folder / "jgo.conf"
    configuration.write_text(f"[repositories]\ncentral = {url}\n", "utf-8")
    monkeypatch.setenv("JGO_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def refused_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on the port: what a machine without a way out sees."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        only_repository(f"http://127.0.0.1:{closed.getsockname()[1]}", folder, monkeypatch)


def publish(repository: Path, name: str, content: bytes) -> None:
    target = repository / "org" / "example" / name / "1.0" / f"{name}-1.0.jar"
    target.parent.mkdir(parents=True)
    target.write_bytes(content)


def locked(name: str) -> Jar:
    return Jar(hashlib.sha256(CONTENT).hexdigest(), "org.example", name, "1.0")


def silent(_done: int, _total: int) -> None:
    pass


def test_unreachable_repository_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused_repository(tmp_path, monkeypatch)
    with pytest.raises(Unreachable) as unreachable:
        installed_jars(tmp_path / "cache")

    message = str(unreachable.value)
    assert message.startswith("could not fetch Apache Kafka 4.3.1 (ConnectionError): the first start needs a Maven")
    assert message.endswith("or set KAFKA_BOOTSTRAP to an existing cluster")
    assert unreachable.value.__suppress_context__


def test_installed_jars_need_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused_repository(tmp_path, monkeypatch)
    lock = Path(__file__).parents[2] / "ops" / "broker" / "jars.lock"
    folder = kafka_folder(tmp_path)
    folder.mkdir()
    for line in lock.read_text("utf-8").splitlines():
        _, artifact, version = line.split("  ")[1].split(":")
        (folder / f"{artifact}-{version}.jar").touch()

    assert len(installed_jars(tmp_path)) == 46


def test_jar_of_the_lock_is_moved_in_and_counted(tmp_path: Path, repository: Path) -> None:
    publish(repository, "some", CONTENT)
    publish(repository, "other", CONTENT)
    heard: list[tuple[int, int]] = []
    fetch_into(tmp_path / "jars", (locked("some"), locked("other")), lambda *counts: heard.append(counts))

    assert heard == [(1, 2), (2, 2)]
    assert (tmp_path / "jars" / "some-1.0.jar").read_bytes() == CONTENT


@pytest.mark.parametrize("published", [b"tampered with", CONTENT[:-1]], ids=["other bytes", "cut short"])
def test_jar_with_other_bytes_than_the_lock_is_not_moved_in(tmp_path: Path, repository: Path, published: bytes) -> None:
    publish(repository, "some", published)
    with pytest.raises(RuntimeError, match=r"not the bytes that jars\.lock names"):
        fetch_into(tmp_path / "jars", (locked("some"),), silent)

    assert list((tmp_path / "jars").iterdir()) == []


@pytest.mark.usefixtures("repository")
def test_jar_that_no_repository_has_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        fetch_into(tmp_path / "jars", (locked("missing"),), silent)

    assert list((tmp_path / "jars").iterdir()) == []


def test_cache_follows_the_base_directory_standard(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == tmp_path / ".cache" / "sanctuaire"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    assert default_cache() == tmp_path / "elsewhere" / "sanctuaire"
