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
"""What was owed to the outside world has ended: ``delivery``, ``state``, ``answer``.

``state`` is ``sent``, ``failed`` or ``expired``; what nobody wanted any more is not told. Sent by
the process that carried it, in a job of its own.
"""

client_connected = _signals.signal("client-connected")
"""A client hears from now on: ``user_id``, ``device_id``, ``connection_id``, ``topics``.

Sent in a job of its own, and before ``client_disconnected`` of the same connection begins.
"""

client_disconnected = _signals.signal("client-disconnected")
"""A client has gone: ``user_id``, ``device_id``, ``connection_id``.

In a job of its own; also for everybody when the kit is closed, which waits for that.
"""

session_revoked = _signals.signal("session-revoked")
"""Sessions ended before their time: ``user_id``, ``sessions`` (how many).

In the thread that revoked them, and in no other process.
"""

rebound = _signals.signal("rebound")
"""What was an anonymous principal's is a user's now: ``user_id``, ``anonymous_id``.

In the thread that rebound them, after the commit.
"""
