"""What Quarterdeck keeps itself is nobody's application, and nobody's application may read another's."""

from __future__ import annotations

import pytest

from quarterdeck.deploy.execution.preparing import refuse_own_data
from quarterdeck.deploy.sources.spec import SourceSpec
from quarterdeck.kernel.errors import Invalid


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data" / "runtime" / "releases").mkdir(parents=True)
    (tmp_path / "data" / "backups").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data" / "runtime")
    return tmp_path / "data" / "runtime"


@pytest.mark.parametrize(
    "locator",
    ["{0}/data/runtime", "{0}/data/runtime/releases", "{0}/data/backups", "{0}/link/releases", "file://{0}/data/runtime",
     "FILE://{0}/d%61ta/runtime/releases"],
)  # fmt: skip
def test_a_source_among_the_programs_own_data_is_refused(tmp_path, root, locator) -> None:
    spec = SourceSpec("local-folder", locator.format(tmp_path))
    with pytest.raises(Invalid, match="own data") as caught:
        refuse_own_data(root, spec)
    assert caught.value.code == "source_locator_invalid"


@pytest.mark.parametrize("locator", ["{0}/app", "file://{0}/app", "https://example.com/app.git", "git@example.com:a/b"])
def test_a_source_beside_them_is_taken(tmp_path, root, locator) -> None:
    refuse_own_data(root, SourceSpec("local-folder", locator.format(tmp_path)))
