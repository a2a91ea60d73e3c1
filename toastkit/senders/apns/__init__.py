"""Pushes to phones, by Apple's push service.

- ``sender`` makes attempts: a ``request`` with its ``payload``, signed by the ``token`` of the
  ``settings``; ``answers`` says what comes back means, ``faults`` why nothing did.
- ``lines`` keeps one ``line`` (a connection) per host and process: ``reaching`` connects, ``tls`` and
  ``streams`` (HTTP/2, with ``goaway`` frames taken out) work in memory.
- ``recording`` keeps pushes instead.
"""

from .recording import Recorded, RecordingApns
from .request import PushRequest
from .sender import ApnsSender
from .settings import ApnsSettings

__all__ = ["ApnsSender", "ApnsSettings", "PushRequest", "Recorded", "RecordingApns"]
