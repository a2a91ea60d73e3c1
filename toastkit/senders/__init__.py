"""How deliveries leave: one adapter per kind of outside world.

``contract`` is what a host's own sender must be; ``recording`` keeps what would be sent; ``apns`` pushes.
"""

from .recording import RecordingSender

__all__ = ["RecordingSender"]
