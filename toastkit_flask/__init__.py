"""toastkit inside a Flask app: ``ToastKit(app)``, and that is all.

PYTEST_DONT_REWRITE: who imports this and runs pytest then, is not to be warned about it.
"""

from .extension import ToastKit
from .guards import current_principal, publisher_required, session_required, user_required
from .operations import described

__all__ = [
    "ToastKit",
    "current_principal",
    "described",
    "publisher_required",
    "session_required",
    "user_required",
]
