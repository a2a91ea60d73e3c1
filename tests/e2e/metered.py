"""What a host's ``gunicorn.conf.py`` looks like where the workers count together."""

from gevent import monkey

monkey.patch_all()

from toastkit_flask.gunicorn import *  # noqa: F403, E402

share_metrics()  # noqa: F405
