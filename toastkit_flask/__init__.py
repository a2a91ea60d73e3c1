"""toastkit inside a Flask app: ``ToastKit(app)``, and that is all."""

from .extension import ToastKit
from .guards import current_principal, publisher_required, session_required, user_required

__all__ = [
    "ToastKit",
    "current_principal",
    "publisher_required",
    "session_required",
    "user_required",
]
