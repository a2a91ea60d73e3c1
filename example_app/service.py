"""Start gunicorn inside this process, with everything it needs made ready first."""

from __future__ import annotations

import argparse
import logging
import os
import runpy
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication

from toastkit.errors import ToastKitError

from . import logs
from .settings import VARIABLES, Settings, chooses_demo
from .starting import make_ready

BAD_START = 2
"""Exit code when a setting is wrong or the port is taken."""


class Service(BaseApplication):  # type: ignore[misc]
    """Run the app in gunicorn's gevent worker, on a socket that is bound already."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        told = banner(settings, listener.getsockname())
        self.told = logs.line(told, json=True, level=logging.INFO) if settings.json_logs else told
        self.fd = listener.detach()  # gunicorn makes a copy and closes this one
        super().__init__(prog="python -m example_app")

    def load_config(self) -> None:
        """Take ``gunicorn.conf.py``, and the socket in place of an address."""
        file = Path(__file__).with_name("gunicorn.conf.py")
        for name, value in runpy.run_path(str(file)).items():
            if name in self.cfg.settings and name != "on_starting":  # that has been done
                self.cfg.set(name, value)
        self.cfg.set("bind", [f"fd://{self.fd}"])
        self.cfg.set("loglevel", "warning")
        self.cfg.set("when_ready", self._announce)

    def load(self) -> Any:
        """Make the app, in the worker: what it loads anew after a reload."""
        from .wsgi import app

        return app

    def _announce(self, _arbiter: object) -> None:
        sys.stdout.write(self.told.rstrip("\n") + "\n")
        sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run the service until it is told to stop; return the exit code."""
    _parser().parse_args(arguments)
    json = logs.is_json(os.environ.get("LOG_FORMAT"))
    logs.set_up(json=json)
    if chooses_demo(os.environ):
        os.environ["TOASTKIT_DEMO"] = "1"
    try:
        settings = Settings.read(os.environ)
        listener = _bind(settings)
        make_ready(settings)
    except (ToastKitError, OSError) as error:
        sys.stderr.write(logs.refusal(error, json=json) + "\n")
        return BAD_START
    Service(settings, listener).run()
    return 0


def banner(settings: Settings, address: tuple[Any, ...]) -> str:
    """Return what the terminal is told once connections are accepted."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    lines = [f"toastkit is serving http://{host}:{address[1]}/  (Ctrl+C stops it)"]
    if settings.demo:
        lines += ["", "  DEMO MODE: anyone on this machine may sign in as anyone.", ""]
    if settings.pushes:
        lines += [f"Pushes to phones go to {settings.config.apns_host}."]
    elif settings.demo:
        lines += ["Pushes to phones are recorded, and shown on the page."]
    lines += [f"{name} is set, but not used by this version." for name in settings.ignored]
    return "\n".join(lines) + "\n"


def _bind(settings: Settings) -> socket.socket:
    where = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise OSError(f"cannot listen on {where}: {error.strerror}; see HOST and PORT") from None


def _parser() -> argparse.ArgumentParser:
    width = max(len(variable.name) for variable in VARIABLES)
    rows = [f"  {each.name:{width}}  {each.meaning} ({each.default})" for each in VARIABLES]
    return argparse.ArgumentParser(
        prog="python -m example_app",
        description="Serve toastkit with its page; everything is set in the environment.",
        epilog="environment:\n" + "\n".join(rows) + "\n  TOASTKIT_*: every other setting",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
