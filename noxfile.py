"""Everything that checks this project: ``nox`` runs what must pass, ``nox -t full`` the rest."""

import os
import shutil
from pathlib import Path

import nox

PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

WITH_REDIS = (
    "tests/backplane/redis",
    "tests/contracts/test_backplane.py",
    "tests/contracts/test_history.py",
    "tests/contracts/test_presence.py",
    "tests/doctor/test_redis.py",
    "tests/faults/test_redis.py",
    "tests/faults/test_workers.py",
    "tests/flask/test_sharedwindows.py",
    "tests/metrics/test_metrics.py",
    "tests/test_redis.py",
    "tests/test_wiring.py",
)

nox.needs_version = ">=2025.5"
nox.options.tags = ["ci"]
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False


def _show_pyenv() -> None:
    """Let nox see pyenv's Pythons: its shims answer only for the versions chosen globally."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    versions = sorted(root.glob("versions/3.*/bin"))
    if versions:
        path = os.environ.get("PATH", "").split(os.pathsep)
        path = [entry for entry in path if Path(entry) != root / "shims"]
        os.environ["PATH"] = os.pathsep.join([*path, *map(str, versions)])


_show_pyenv()


def _group(name: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PYPROJECT, name)


def _pytest(session: nox.Session, *arguments: str) -> None:
    session.install("-e", ".[service]", *_group("test"))
    _keep_compiled(session)
    session.run("python", "-m", "pytest", *arguments, *session.posargs)


def _keep_compiled(session: nox.Session) -> None:
    """Let Python keep what it has compiled, also where the environment says that it should not.

    The tests start a thousand processes: each would compile everything anew.
    """
    session.env["PYTHONDONTWRITEBYTECODE"] = ""


@nox.session(tags=["ci"])
def lint(session: nox.Session) -> None:
    """Look for mistakes and for formatting that is not ours."""
    session.install(*_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(tags=["ci"])
def typing(session: nox.Session) -> None:
    """Check every type, strictly."""
    session.install("-e", ".[service,postgres]", *_group("typing"))
    session.run("mypy", *session.posargs)


@nox.session(tags=["ci"])
def tests(session: nox.Session) -> None:
    """Run the tests on this Python, two at a time more than there are cores: many mostly wait."""
    _pytest(session, "-n", str(2 + (os.cpu_count() or 1)), "--dist", "worksteal")


@nox.session(tags=["ci"])
def tests_gevent(session: nox.Session) -> None:
    """Run them again where gevent has replaced threads, sockets and time.

    The interpreter is patched before pytest is imported: in a conftest it would be too late, for
    plugins have imported ssl by then.
    """
    session.install("-e", ".[service]", *_group("test"))
    _keep_compiled(session)
    shards = ("python", "-m", "tests.shards", str(1 + (os.cpu_count() or 1)))
    patched = ("python", "-m", "gevent.monkey", "--module", "pytest")
    session.run(*shards, *patched, "-m", "not long and not plain", *session.posargs)


@nox.session(tags=["ci"])
def chaos(session: nox.Session) -> None:
    """Break everything around a service of several workers, and look for what was lost."""
    session.install("-e", ".[service]", *_group("test"))
    _keep_compiled(session)
    session.run("python", "-m", "tests.chaos", *session.posargs)


@nox.session(tags=["ci"])
def docs(session: nox.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.install(*_group("docs"))
    session.run("sphinx-build", "-W", "-E", "--keep-going", "docs", "docs/_build/html")


@nox.session(tags=["ci"], venv_backend="venv")
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it where nothing else is, and run the README's example from it."""
    check, readme = (Path(name).resolve() for name in ("tests/wheel_check.py", "README.md"))
    place = session.create_tmp()
    built = Path(place, "dist")
    session.run("python", "-m", "pip", "wheel", "-q", "--no-deps", "--wheel-dir", str(built), ".")
    newest = max(built.glob("toastkit-*.whl"), key=lambda path: path.stat().st_mtime)
    session.install("-q", f"{newest.resolve()}[service]")
    session.chdir(place)
    session.run("python", "-I", str(check), str(readme))


@nox.session(tags=["full"], python=PYTHONS)
def tests_all(session: nox.Session) -> None:
    """Run the tests on every Python found; the others are skipped, and named."""
    _pytest(session)


@nox.session(tags=["full"], python=PYTHONS[0], venv_backend="uv")
def tests_lowest(session: nox.Session) -> None:
    """Run the tests with the oldest versions we promise to work with."""
    lowest = ("--resolution", "lowest-direct")
    session.install("-e", ".[service]", *_group("test"), *lowest)
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(tags=["full"])
def tests_long(session: nox.Session) -> None:
    """Run the tests that take minutes."""
    _pytest(session, "-m", "long")


@nox.session(tags=["full"])
def mutants(session: nox.Session) -> None:
    """Plant ten bugs, one after the other: each must be caught."""
    session.install("-e", ".[service]", *_group("test"))
    session.run("python", "-m", "tests.chaos.mutants", *session.posargs)


@nox.session(tags=["full"])
def redis_real(session: nox.Session) -> None:
    """Run what is tested with a Redis against the one on the PATH, not the Valkey of a wheel."""
    server = shutil.which("redis-server")
    if server is None:
        session.skip("there is no redis-server on the PATH")
    session.env["TOASTKIT_TEST_REDIS_SERVER"] = server
    _pytest(session, *WITH_REDIS)


@nox.session(tags=["full"])
def apns2_oracle(session: nox.Session) -> None:
    """Compare our pushes with those of the real apns2 0.7.2, which needs an older world.

    It lives in an environment of its own, made by the newest Python that can run it.
    """
    newest = (shutil.which(f"python3.{minor}") for minor in (13, 12, 11))
    base = next(filter(None, newest), None)
    if base is None:
        session.skip("apns2 needs Python 3.11, 3.12 or 3.13, and none is here")
    folder = Path(session.create_tmp(), "apns2").resolve()
    python = str(folder / "bin" / "python")
    old = ("apns2==0.7.2", "PyJWT==1.7.1", "setuptools<81")
    try:
        session.run(base, "-m", "venv", "--clear", str(folder), external=True)
        session.run(python, "-m", "pip", "install", "-q", *old, external=True)
    except nox.command.CommandFailed:
        session.skip("apns2 0.7.2 cannot be installed here: what pip said stands above")
    session.env["TOASTKIT_APNS2_PYTHON"] = python
    session.install("-e", ".[service]", *_group("test"))
    session.run("python", "-m", "pytest", "tests/apple/test_oracle.py", *session.posargs)


@nox.session(tags=["full"])
def faults(session: nox.Session) -> None:
    """Do each fault with nothing else beside it: within the very seconds that are promised."""
    _pytest(session, "tests/faults", "tests/e2e/test_workers.py")


@nox.session(tags=["full"])
def extensions(session: nox.Session) -> None:
    """Run toastkit beside the extensions that apps have already."""
    session.install("-e", ".[service]", *_group("test"), *_group("extensions"))
    session.run("python", "-m", "pytest", "tests/embedding/test_extensions.py", *session.posargs)


@nox.session(tags=["full"])
def coverage(session: nox.Session) -> None:
    """Measure which lines and branches the tests reach."""
    session.install("-e", ".[service]", *_group("test"), *_group("coverage"))
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "report")


@nox.session(tags=["full"])
def bench(session: nox.Session) -> None:
    """Print the numbers that docs quote, beside those of flask-sock, Flask-SocketIO and others."""
    session.install("-e", ".[service]", *_group("test"), *_group("bench"))
    if session.posargs:
        session.run("python", "-m", "tests.bench", *session.posargs)
        return
    session.run("python", "-m", "tests.bench")
    shared = ("connect", "fanout", "publish")
    session.run("python", "-m", "tests.bench", *shared, "--beside", "flask-socketio")
    session.run("python", "-m", "tests.bench.decisions")
