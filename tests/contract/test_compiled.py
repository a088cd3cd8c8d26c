import importlib
import os

from ops.compiling import libraries, sources


def test_all_that_is_to_be_compiled_is_or_nothing_is_and_in_ci_it_is() -> None:
    names = [".".join(path.with_suffix("").parts) for path in sources()]
    compiled = [name for name in names if str(importlib.import_module(name).__file__).endswith(".so")]

    assert "services.filtering.emission" in names
    assert compiled == names or (compiled == [] and "CI" not in os.environ)


def test_no_library_is_left_of_a_module_that_is_not_compiled_any_more() -> None:
    beside = {
        library.parent / library.name.partition(".")[0] for library in libraries() if "__mypyc" not in library.name
    }

    assert {path.resolve().with_suffix("") for path in sources()} >= beside
