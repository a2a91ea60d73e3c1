"""``python -m toastkit …`` is ``toastkit …``."""

from .cli import main

if __name__ == "__main__":
    main()
