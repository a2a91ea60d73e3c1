import pytest

from tests.transports.harness import RUNTIMES, Line, Notes
from toastkit.config import Config
from toastkit.runtime import runtime_for


@pytest.fixture(params=RUNTIMES)
def start(request):
    runtime, lines = runtime_for(request.param), []

    def begin(transport, notes=None, **settings):
        lines.append(Line(runtime, notes or Notes(), Config(**settings), transport))
        return lines[-1]

    yield begin
    for line in lines:
        runtime.ask(line.transport.abort)
        line.client.close()
    runtime.close()
