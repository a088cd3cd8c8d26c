import stat
from pathlib import Path

from ops.broker.folder import Folder


def test_kept_folder_is_its_owners_alone_for_what_lies_on_the_topics_lies_in_its_files(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "run" / "kafka", tmp_path / "kafka.log")

    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
