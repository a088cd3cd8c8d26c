import gzip
import io
import tarfile
from pathlib import Path

import pytest

from ops.aaf_files import open_export, read_export
from services.contract.changes import Change
from services.contract.errors import NotThisFormat
from services.ingress.formats.aaf import Read, RefusedFile

SAMPLES = Path(__file__).parents[1] / "data" / "aaf"


def changes_in(path: Path, source: str | None = None) -> list[Change]:
    return [one for one in read_export(path, source, {}) if isinstance(one, Change)]


def archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, content in members:
            info.size = len(content) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(content))
    return path


def samples(folder: str = "") -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(tarfile.TarInfo(folder + file.name), file.read_bytes()) for file in sorted(SAMPLES.iterdir())]


@pytest.mark.parametrize("folder", ["", "./", "export/"])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, folder: str) -> None:
    packed = archive(tmp_path / "P.20260915.tgz", samples(folder))

    assert changes_in(packed) == changes_in(SAMPLES)


def test_a_single_file_is_a_set() -> None:
    [change] = changes_in(SAMPLES / "P_Complet_20260915_Eleve_0000.xml")

    assert (change.source, change.attributes.school) == ("p", "7001")


def test_each_folder_is_a_platform_of_its_own(tmp_path: Path) -> None:
    for academy in ("13", "99"):
        folder = tmp_path / academy
        folder.mkdir()
        text = (SAMPLES / "P_Complet_20260915_EtabEducNat_0000.xml").read_text()
        (folder / "P_Complet_20260915_EtabEducNat_0000.xml").write_text(
            text.replace('Export="99"', f'Export="{academy}"')
        )

    assert [change.source for change in changes_in(tmp_path)] == ["ac-13", "ac-99"]


def test_one_source_cannot_name_two_folders(tmp_path: Path) -> None:
    for academy in ("13", "99"):
        (tmp_path / academy).mkdir()
        (tmp_path / academy / "readme.txt").touch()

    with pytest.raises(NotThisFormat, match="several folders"):
        list(read_export(tmp_path, "ac-13", {}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_member_that_is_no_file_is_refused_and_nothing_is_followed(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("P_Complet_20260915_PersEducNat_0001.xml")
    link.type, link.linkname = kind, "P_Complet_20260915_PersEducNat_0000.xml"

    reads: list[Read] = list(read_export(archive(tmp_path / "P.tgz", [*samples(), (link, b"")]), None, {}))

    assert [one for one in reads if isinstance(one, RefusedFile)] == [RefusedFile(link.name, "unreadable", 0, 0, 0)]
    assert len(reads) == 9


def test_a_member_whose_name_climbs_out_is_read_where_it_is_and_written_nowhere(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    packed = archive(tmp_path / "in" / "P.tgz", samples("../"))

    changes = changes_in(packed)

    assert len(changes) == 8
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["P.tgz"]


def test_an_archive_that_was_cut_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    packed = archive(tmp_path / "P.tgz", samples())
    packed.write_bytes(packed.read_bytes()[:-600])

    with pytest.raises(NotThisFormat, match="damaged"):
        list(read_export(packed, None, {}))


def test_an_archive_that_is_none_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "P.tgz"
    packed.write_bytes(gzip.compress(b"no tar" * 1000))

    with pytest.raises(NotThisFormat, match="archive"):
        list(read_export(packed, None, {}))


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "P.tgz"
    info = tarfile.TarInfo("P_Complet_20260915_Eleve_0000.xml")
    info.size = 80 << 20
    with gzip.open(packed, "wb", compresslevel=1) as out:
        out.write(info.tobuf())
        for _ in range(80):
            out.write(bytes(1 << 20))

    with pytest.raises(NotThisFormat, match="longer when unpacked"):
        list(read_export(packed, None, {}))


def test_a_forged_header_does_not_fill_the_memory(tmp_path: Path) -> None:
    packed = tmp_path / "P.tgz"
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 35
    with gzip.open(packed, "wb") as out:
        out.write(info.tobuf(tarfile.GNU_FORMAT))
        out.write(bytes(1024))

    with pytest.raises(NotThisFormat, match="16 MiB"):
        list(read_export(packed, None, {}))


def test_nothing_at_the_path_is_said_without_the_path(tmp_path: Path) -> None:
    with pytest.raises(NotThisFormat) as refused, open_export(tmp_path / "ZORVELQUI"):
        pass

    assert "ZORVELQUI" not in str(refused.value)
