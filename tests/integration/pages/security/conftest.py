"""One running system, with every page that there is, for attempts on all of them."""

from collections.abc import Iterator

import pytest

from tests.integration.pages.security.everything import Everything, whole_house


@pytest.fixture(scope="package")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Everything]:
    with whole_house(tmp_path_factory.mktemp("everything")) as everything:
        yield everything
