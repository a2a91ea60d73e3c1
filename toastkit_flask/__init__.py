"""toastkit inside a Flask app: ``ToastKit(app)``, and that is all."""

from .extension import ToastKit

__all__ = ["ToastKit"]
