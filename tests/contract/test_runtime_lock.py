import pytest

from ops.rendering.runtime_lock import runtime_lock

LOCK = """\
aiokafka==1.0 \\
    --hash=sha256:aa
    # via
    #   sanctuaire (pyproject.toml)
    #   faust-streaming
async-timeout==1.1 \\
    --hash=sha256:bb
    # via aiokafka
jgo==2.0 \\
    --hash=sha256:cc
    # via sanctuaire (pyproject.toml)
psutil==3.0 ; sys_platform == 'linux' \\
    --hash=sha256:dd
    # via jgo
pytest==4.0 \\
    --hash=sha256:ee
    # via
    #   sanctuaire (pyproject.toml:dev)
    #   pytest-timeout
pluggy==5.0 \\
    --hash=sha256:ff
    # via pytest
"""


def test_lock_of_the_image_holds_what_the_services_lead_to_with_its_hashes_and_nothing_else() -> None:
    assert runtime_lock(LOCK) == (
        "# Rendered from requirements.lock by `python -m ops.rendering`; do not edit.\n"
        "aiokafka==1.0 \\\n    --hash=sha256:aa\n    # via\n"
        "    #   sanctuaire (pyproject.toml)\n    #   faust-streaming\n"
        "async-timeout==1.1 \\\n    --hash=sha256:bb\n    # via aiokafka\n"
    )


@pytest.mark.parametrize(
    "lock",
    [
        pytest.param("", id="empty"),
        pytest.param("aiokafka==1.0 \\\n    --hash=sha256:aa\n", id="without-saying-why"),
    ],
)
def test_lock_that_does_not_say_why_a_package_is_there_is_refused(lock: str) -> None:
    with pytest.raises(LookupError, match=r"requirements\.lock does not say"):
        runtime_lock(lock)
