"""The browser's client, tested where it runs: in a JavaScript engine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.plain

HERE = Path(__file__).parent
CLIENT = HERE.parents[2] / "toastkit_flask/static/toastkit.js"
NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="node is not installed")
@pytest.mark.parametrize("file", sorted(HERE.glob("*.test.js")), ids=lambda path: path.name)
def test_in_node(file: Path) -> None:
    command = [str(NODE), "--test", str(file)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_it_is_one_script_that_runs_alone() -> None:
    script = f"{CLIENT.read_text()}\nif (!module.exports.connect) throw 1"
    subprocess.run([str(NODE), "-e", script], check=True)


def test_no_data_becomes_markup_and_no_plain_object_is_keyed_by_data() -> None:
    text = CLIENT.read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text)
    assert not re.search(r"\b(toast|frame)\.\w+\]", text)
