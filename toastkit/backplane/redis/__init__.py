"""What workers share over Redis: events, answers, short history, presence.

- *Pub/sub*, driven by the loop: ``backplane`` keeps the contract through a ``broker``. It speaks by one
  connection (``speaking``, ``pump``) and hears by another (``listener``, ``hearing``); each is a ``line``,
  which makes a new ``link`` (``dial``) whenever one breaks.
- *Who must answer*: ``asking`` counts answers, ``peers`` knows the other workers, ``routes`` what is
  subscribed, ``unsaid`` what could not be told.
- *On the wire*: ``envelope`` and ``notices``; ``keys`` names everything.
- *Requests*, which block: ``history`` and ``presence`` run ``scripts`` (``lua/``) through ``requests``, whose
  connections are ``timely``.
"""

from .backplane import RedisBackplane

__all__ = ["RedisBackplane"]
