"""What the workers of one machine have counted, in the files of prometheus-client.

Each process writes files of its own, which are there when it has been killed. Their names are
unlike those of prometheus-client's own metrics in the same folder, which are the host's.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .families import Family
from .page import base, text
from .totals import Sample, Totals

if TYPE_CHECKING:
    from prometheus_client.mmap_dict import MmapedDict

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable of the environment that names the folder."""

BYTES = 256 * 1024
"""Room for all series there are: a file that grows on a full disk ends its process (SIGBUS)."""

_OURS = re.compile(r"(counter|histogram|gauge_live[a-z]+)_([0-9]+)-[0-9a-z]+\.db")
_DEAD = "0-dead"
"""In the place of a process's number and name: the file of all that have ended. No process has the
number 0, and asked whether it lives the system speaks of one's own group, which does."""


class Folder:
    """Write what this process counts, from its first change on. On the loop only."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._who = f"{os.getpid()}-{secrets.token_hex(4)}"  # numbers of processes come again
        self._files: dict[str, MmapedDict] = {}
        self._keys: dict[Sample, str] = {}

    def write(self, totals: Totals) -> None:
        """Write what has changed.

        Raises:
            OSError: there is no room.
        """
        for sample in totals.changed():
            key = self._keys.get(sample)
            if key is None:
                key = self._keys[sample] = _key(sample)
            self._file(sample[0]).write_value(key, totals.values[sample], 0.0)

    def close(self) -> None:
        """Let go of the files; what is in them stays."""
        while self._files:
            self._files.popitem()[1].close()

    def _file(self, family: Family) -> MmapedDict:
        kind = f"{family.kind}_{family.mode}" if family.mode else family.kind
        if kind not in self._files:
            self._files[kind] = _open(self._path / f"{kind}_{self._who}.db")
        return self._files[kind]


def read(path: str) -> bytes:
    """Return the text of what all processes have counted; it may block."""
    from prometheus_client.multiprocess import MultiProcessCollector

    folder = Path(path)
    with _locked(folder, fcntl.LOCK_SH):
        files = [str(file) for file, _, _ in _ours(folder)]
        metrics = MultiProcessCollector.merge(files)
    return text(metrics)


def bury(path: str) -> None:
    """Forget the gauges of processes that have ended, and put their counters together.

    Else there would be more files with each worker that is started. While somebody reads, that is
    left for the next time: whoever looks after workers must wait for none of them.
    """
    folder = Path(path)
    dead = [each for each in _ours(folder) if not _lives(each[2])]
    for file, kind, _ in dead:
        if kind.startswith("gauge"):
            file.unlink(missing_ok=True)
    with suppress(BlockingIOError), _locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        for wanted in ("counter", "histogram"):
            if files := [file for file, kind, _ in dead if kind == wanted]:
                _put_together(folder / f"{wanted}_{_DEAD}.db", files)


def empty(path: str) -> None:
    """Make the folder if it is not there, and forget all that was counted; before any worker."""
    folder = Path(path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink(missing_ok=True)


def _key(sample: Sample) -> str:
    from prometheus_client.mmap_dict import mmap_key

    family, suffix, values = sample
    names = [*family.labels, "le"] if suffix == "_bucket" else list(family.labels)
    return mmap_key(base(family), family.name + suffix, names, list(values), family.meaning)


def _open(file: Path) -> MmapedDict:
    from prometheus_client.mmap_dict import MmapedDict

    if not file.exists():
        # In one step: a file without a head would make whoever reads it fail.
        whole = file.with_suffix(".new")
        whole.write_bytes(bytes(BYTES))
        whole.replace(file)
    return MmapedDict(str(file))


def _put_together(grave: Path, files: Iterable[Path]) -> None:
    from prometheus_client.mmap_dict import MmapedDict

    sums: dict[str, float] = {}
    buried = [grave] if grave.exists() else []
    for file in (*buried, *files):
        for key, value, _, _ in MmapedDict.read_all_values_from_file(str(file)):
            sums[key] = sums.get(key, 0.0) + value
    fresh = grave.with_suffix(".new")
    fresh.write_bytes(bytes(BYTES))
    written = MmapedDict(str(fresh))
    for key, value in sums.items():
        written.write_value(key, value, 0.0)
    written.close()
    fresh.replace(grave)
    for file in files:
        file.unlink()


def _ours(folder: Path) -> list[tuple[Path, str, int]]:
    """Return each file of ours with its kind, and the number of its process."""
    found = ((file, _OURS.fullmatch(file.name)) for file in sorted(folder.iterdir()))
    return [(file, match[1], int(match[2])) for file, match in found if match is not None]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, but alive
        pass
    return True


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    # A number that falls is taken for a fresh start, and all of it for news: nobody may read while
    # some of it is in two files, or in none.
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
