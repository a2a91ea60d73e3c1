"""Read gunicorn's configuration as gunicorn would, and print it as JSON.

The text of this file is run in a process of its own, in the folder gunicorn would start in, for a
configuration file is a program: it may replace sockets, or raise limits. It imports nothing of
toastkit, which would be there before gevent then.
"""

import importlib
import json
import os
import resource
import sys
from typing import Any

REPLACED = {
    "socket": ("socket", "create_connection", "getaddrinfo"),
    "ssl": ("SSLContext", "SSLSocket"),
    "threading": ("Lock", "Thread", "local", "Event"),
    "_thread": ("allocate_lock", "start_new_thread"),
    "select": ("select", "poll", "epoll"),
    "time": ("sleep",),
    "subprocess": ("Popen", "run"),
    "queue": ("SimpleQueue", "Queue"),
}
"""What gevent replaces, and a module that was imported before may keep."""

MODULES = ("socket", "ssl", "threading", "select", "time")

QUIET = {"gevent", "greenlet", "gunicorn", "packaging", "toastkit", "zope"} | {
    *("__main__", "__config__")
}
"""Made for it, or gevent's own."""

HOOKS = ("post_request", "post_worker_init", "pre_request", "worker_int")
OURS = "toastkit_flask.gunicorn"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

MARK = "toastkit: "
"""How the answer begins: a configuration file may print, too."""


def patched() -> list[str]:
    """Return which modules gevent has replaced in this process."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is None:
        return []
    return [name for name in MODULES if monkey.is_module_patched(name)]


def early(quiet: set[str]) -> list[str]:
    """Return the packages that keep what gevent has replaced, or will replace."""
    known = sys.stdlib_module_names | quiet
    originals = [_original(module, name) for module, names in REPLACED.items() for name in names]
    wanted = {id(each) for each in originals if each is not None}
    found: list[str] = []
    for name, module in sorted(sys.modules.items()):
        package = name.partition(".")[0]
        kept = vars(module).values() if hasattr(module, "__dict__") else ()
        if package not in {*known, *found} and any(id(each) in wanted for each in list(kept)):
            found.append(package)
    return found


def _original(module: str, name: str) -> Any:
    monkey = sys.modules.get("gevent.monkey")
    if module not in sys.modules or not hasattr(sys.modules[module], name):
        return None
    return (
        getattr(sys.modules[module], name) if monkey is None else monkey.get_original(module, name)
    )


def read(words: list[str]) -> dict[str, Any]:
    """Return what gunicorn would do if it were started with these words."""
    base = importlib.import_module("gunicorn.app.base")
    wsgi = importlib.import_module("gunicorn.app.wsgiapp")

    named = set()

    class Reader(wsgi.WSGIApplication):  # type: ignore[misc,name-defined]
        def load_default_config(self) -> None:
            super().load_default_config()
            take = self.cfg.set

            def note(name: str, value: Any) -> None:
                named.add(name)
                take(name, value)

            self.cfg.set = note

        def load_config(self) -> None:
            base.Application.load_config(self)  # the other one wants an app to be named

    sys.argv = ["gunicorn", *words]
    cfg = Reader("%(prog)s [OPTIONS] [APP_MODULE]", prog="gunicorn").cfg
    config = sys.modules.get("__config__")
    hooks = {
        name: getattr(cfg.settings[name].get(), "__module__", "") or ""
        for name in HOOKS
        if name in cfg.settings and callable(cfg.settings[name].get())
    }
    return {
        "file": getattr(config, "__file__", "") or "",
        # Nobody but a command line that is not known here can have named it otherwise.
        "worker_class": cfg.worker_class_str if words or "worker_class" in named else "",
        "workers": cfg.workers,
        "threads": cfg.threads,
        "graceful_timeout": cfg.graceful_timeout,
        "preload": cfg.preload_app,
        "hooks": {
            name: module for name, module in hooks.items() if "gunicorn.config" not in module
        },
        "helped": OURS in sys.modules,
        "together": bool(os.environ.get(FOLDER)),
        "gevent": {"patched": patched(), "early": early(QUIET)},
        "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    }


if __name__ == "__main__":
    sys.stdout.write(f"\n{MARK}{json.dumps(read(sys.argv[1:]))}\n")
