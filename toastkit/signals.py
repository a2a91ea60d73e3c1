"""What a program may be told of: blinker's signals, as Flask has them.

The sender is the Flask app, in whose context each receiver is called; without Flask it is the kit.
What a receiver raises is logged with its name, and changes nothing for what it was told of, nor
for other receivers. A receiver is not called while it is being called: what it publishes itself is
told to the others.
"""

from __future__ import annotations

from blinker import Namespace

_signals = Namespace()

toast_published = _signals.signal("toast-published")
"""A toast has its receipt: ``user_id``, ``topic``, ``toast`` (a ``Toast``), ``receipt``.

Sent once for each publish, a duplicate's too, in the thread that published. A toast that joined a
transaction is published when that commits: in the thread that committed or, in a process that
serves, in a job of its own.
"""

control_published = _signals.signal("control-published")
"""A control was told: ``kind``, ``params``, ``user_id`` (``None``: to everybody).

In the thread that published it. Also toastkit's own, such as ``toast.read``.
"""

delivery_settled = _signals.signal("delivery-settled")
"""What was owed to the outside world has ended: ``delivery``, ``state``, ``answer``."""

client_connected = _signals.signal("client-connected")
"""A client hears from now on: ``user_id``, ``device_id``, ``connection_id``, ``topics``."""

client_disconnected = _signals.signal("client-disconnected")
"""A client has gone: ``user_id``, ``device_id``, ``connection_id``."""

session_revoked = _signals.signal("session-revoked")
"""Sessions ended before their time: ``user_id``, ``sessions`` (how many)."""

rebound = _signals.signal("rebound")
"""A device's anonymous principal became a user: ``user_id``, ``anonymous_id``."""
