"""What is done once, before there are workers."""

from __future__ import annotations

import warnings

from toastkit import current_kit
from toastkit.storage import upgrade

from .factory import create_app, make_instance, make_verifier
from .settings import Settings


def make_ready(settings: Settings) -> None:
    """Make everything that workers share, and find out what would keep each of them from starting.

    Raises:
        ToastKitError: what that is.
    """
    # They are read again by gunicorn and by each worker; one warning will do.
    warnings.filterwarnings("ignore", ".* is no setting of toastkit")
    make_instance(settings)
    # Many workers that find an old schema at once would all try to upgrade it.
    upgrade(settings.config.database_url)
    with create_app().app_context():
        current_kit().close()
    if settings.clerk:
        # Only to tell now what would else be told at the first sign-in. The service starts all the
        # same: it tries again by itself, and who is signed in already needs no keys.
        make_verifier(settings.clerk).load()
