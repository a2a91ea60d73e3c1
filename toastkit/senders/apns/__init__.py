"""Pushes to phones, by Apple's push service."""

from .recording import Recorded, RecordingApns
from .request import PushRequest
from .sender import ApnsSender
from .settings import ApnsSettings

__all__ = ["ApnsSender", "ApnsSettings", "PushRequest", "Recorded", "RecordingApns"]
