import shutil
from pathlib import Path

import pytest

from ops.rendering import flow_diagram, render, topics_table
from ops.rendering.__main__ import main
from ops.rendering.files import ROOT
from ops.rendering.markers import replace_between


def checkout(folder: Path) -> Path:
    """A copy of what is rendered, to be spoilt."""
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    return folder


def test_rendered_files_are_current() -> None:
    assert render(check=True) == []


def test_current_files_pass_the_check_and_nothing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"], checkout(tmp_path)) == 0
    assert capsys.readouterr().out == ""


def test_drift_is_named_then_mended_by_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout(tmp_path)
    (root / "schemas" / "release.v1.schema.json").unlink()
    (root / "schemas" / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n", encoding="utf-8")

    assert main(["--check"], root) == 1
    assert capsys.readouterr().out.splitlines() == [
        "schemas/asyncapi.yaml: differs from the contract",
        "schemas/release.v1.schema.json: differs from the contract",
    ]
    assert main([], root) == 0
    assert capsys.readouterr().out.splitlines() == [
        "schemas/asyncapi.yaml: written",
        "schemas/release.v1.schema.json: written",
    ]
    assert main(["--check"], root) == 0


def test_openapi_document_that_is_not_what_ingress_serves_is_named_and_mended(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    document = root / "schemas" / "openapi.json"
    document.write_text(document.read_text(encoding="utf-8").replace("unknown-token", "forgotten"), encoding="utf-8")

    assert render(root, check=True) == ["schemas/openapi.json"]
    assert render(root, check=False) == ["schemas/openapi.json"]
    assert render(root, check=True) == []


def test_schema_that_no_payload_has_is_named(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    (root / "schemas" / "forgotten.v1.schema.json").write_text("{}\n", encoding="utf-8")

    assert render(root, check=True) == ["schemas/forgotten.v1.schema.json"]


def test_published_schema_that_has_changed_is_named(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    other_digest = "0" * 64
    (root / "schemas" / "published.sha256").write_text(f"{other_digest}  change.v1.schema.json\n", encoding="utf-8")

    assert render(root, check=True) == ["schemas/change.v1.schema.json"]


def test_published_schema_that_is_as_it_was_passes(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    # sha256sum of "{}\n".
    digest = "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
    (root / "published.txt").write_text("{}\n", encoding="utf-8")
    (root / "schemas" / "published.sha256").write_text(f"{digest}  ../published.txt\n", encoding="utf-8")

    assert render(root, check=True) == []


def test_diagram_is_written_between_the_marks_of_the_readme_and_nowhere_else(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    readme = root / "README.md"
    readme.write_text("# One\n\n<!-- flow:begin -->\nold\n<!-- flow:end -->\n\nTwo\n", encoding="utf-8")

    assert render(root, check=True) == ["README.md"]
    assert render(root, check=False) == ["README.md"]
    assert readme.read_text(encoding="utf-8") == (
        f"# One\n\n<!-- flow:begin -->\n{flow_diagram()}\n<!-- flow:end -->\n\nTwo\n"
    )


def test_readme_that_lost_its_marks_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = checkout(tmp_path)
    (root / "README.md").write_text("# One\n", encoding="utf-8")

    assert main(["--check"], root) == 1
    assert capsys.readouterr().err == (
        "cannot render: expected <!-- flow:begin --> and <!-- flow:end --> once each, in this order\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("nothing", id="no-marks"),
        pytest.param("<!-- x:begin -->", id="no-end"),
        pytest.param("<!-- x:end --><!-- x:begin -->", id="end-before-begin"),
        pytest.param("<!-- x:begin --><!-- x:end --><!-- x:end -->", id="two-ends"),
        pytest.param("<!-- x:begin --><!-- x:begin --><!-- x:end -->", id="two-begins"),
    ],
)
def test_part_without_its_two_marks_is_refused(text: str) -> None:
    with pytest.raises(LookupError):
        replace_between(text, "x", "body")


def test_diagram_shows_the_flow_from_the_platforms_to_the_provider() -> None:
    drawn = flow_diagram().splitlines()

    for edge in (
        "  platforms[/platforms/] --> ingress",
        "  ingress --> directory_changes_v1",
        "  directory_changes_v1 --> filtering",
        "  filtering --> provisioning_withdrawals_v1",
        "  provisioning_withdrawals_v1 --> pseudonymisation",
        "  pseudonymisation --> provisioning_operations_provider_v1",
        "  provisioning_operations_provider_v1 --> connectors",
        "  connectors --> providers_provider_directory_v1",
        "  providers_provider_directory_v1 --> the_provider",
        "  operators -.-> policies_v1",
    ):
        assert edge in drawn


def test_table_says_who_writes_what_and_for_how_long() -> None:
    rows = topics_table().splitlines()

    assert "| `directory.changes.v1` | Change | routing key | ingress | filtering | 12 | 14 days |" in rows
    assert (
        "| `provisioning.releases.v1.quarantine` | QuarantinedRecord | none | pseudonymisation | operators | 12 "
        "| 90 days |"
    ) in rows
