import os

import pytest


@pytest.fixture(scope="session")
def sites(tmp_path_factory):
    os.environ["CLUB_FOLDER"] = str(tmp_path_factory.mktemp("club"))
    import sites

    return sites
