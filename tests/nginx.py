"""A real nginx in front of a service, with what the documentation shows of its configuration."""

import os
import re
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack, suppress

import psutil

from tests.cluster import Publishing, wait_for
from tests.pages import PAGES

BINARY = shutil.which("nginx")
MISSING = "nginx is not installed"

PLACES = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
AROUND = """
daemon off; pid nginx.pid; worker_processes 1; {above}
events {{ worker_connections 2048; }}
http {{
access_log access.log; {folders}
{shown}
}}
"""


def shown(page="howto/nginx.rst"):
    """Return the configuration that a page shows, at any indentation."""
    [(_, text)] = re.findall(
        r"^( *)\.\. code-block:: nginx\n\n((?:\1   .*\n|\n)+)", PAGES[page], re.MULTILINE
    )
    return text


class Nginx(Publishing):
    """Run one nginx: ``config`` is what stands in ``http``, where the page says port 443.

    ``to`` is the ``host:port`` of what the page calls 127.0.0.1:8000. Without ``tls``, a key and a
    certificate in files, it listens without TLS. ``above`` is what stands outside of ``http``.
    """

    def __init__(self, folder, config, to, *, tls=None, above=""):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            super().__init__(free.getsockname())
        config = config.replace("127.0.0.1:8000", to)
        if tls is None:
            config = re.sub(r"listen 443 ssl;\n(.*ssl_.*\n)+", "listen 443;\n", config)
        else:
            for name, file in zip(("certificate", "certificate_key"), tls, strict=True):
                config = re.sub(rf"ssl_{name} .*;", f"ssl_{name} {file};", config)
        self.folder = folder
        config = config.replace("listen 443", f"listen {self.host}")
        folders = " ".join(f"{place}_temp_path {place};" for place in PLACES)
        # Else root's nginx becomes nobody, who may not keep a large body in this folder.
        above += "" if os.geteuid() else "user root;"
        around = AROUND.format(above=above, folders=folders, shown=config)
        (folder / "nginx.conf").write_text(around)
        command = [BINARY, "-p", str(folder), "-e", "error.log", "-c", "nginx.conf"]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        self._process = subprocess.Popen(command)

    def __enter__(self):
        with ExitStack() as unless_it_listens:
            unless_it_listens.push(self.__exit__)
            wait_for(self._listens, what="nginx")
            unless_it_listens.pop_all()
        return self

    def __exit__(self, *_):
        everybody = self.workers()
        self._process.terminate()
        self._process.wait(10)
        for worker in everybody:  # one that still holds a client open would stay
            with suppress(psutil.NoSuchProcess):
                psutil.Process(worker).kill()

    @property
    def statuses(self):
        """Return the status of every request that has ended."""
        lines = (self.folder / "access.log").read_text().splitlines()
        return [int(re.search(r'" (\d{3}) ', line)[1]) for line in lines]

    @property
    def errors(self):
        return (self.folder / "error.log").read_text()

    def reload(self):
        """Have it read its configuration again, as after a new certificate."""
        before = self.workers()
        self._process.send_signal(signal.SIGHUP)
        wait_for(lambda: set(self.workers()) - set(before), what="a new worker of nginx")

    def workers(self):
        return [each.pid for each in psutil.Process(self._process.pid).children()]

    def _listens(self):
        with suppress(OSError), socket.create_connection(self.address, 1):
            return True
