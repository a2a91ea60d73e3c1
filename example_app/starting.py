"""What is done once, before there are workers."""

from __future__ import annotations

import logging
import warnings

from toastkit import Config, current_kit
from toastkit.backplane.redis.dial import Place
from toastkit.storage import upgrade

from .factory import create_app, make_instance, make_verifier
from .settings import Settings

log = logging.getLogger(__name__)


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
    if settings.config.redis_url:
        _try_redis(settings.config)
    if settings.clerk:
        # Only to tell now what would else be told at the first sign-in. The service starts all the
        # same: it tries again by itself, and who is signed in already needs no keys.
        make_verifier(settings.clerk).load()


def _try_redis(config: Config) -> None:
    # Only to tell now, once and with the reason: a worker starts without it, and joins the others
    # when it is back.
    place = Place.of(config)
    try:
        place.dial().close()
    except Exception as error:  # noqa: BLE001  # whatever it is
        why = " ".join(str(error).split()).rstrip(".")
        log.warning("%s cannot be used: %s; the service starts all the same", place.name, why)
