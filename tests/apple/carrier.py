"""Carry pushes in a process of its own: ``python -m``, with settings in its environment."""

import sys

from toastkit import Config, Kit


def main():
    """Carry until the pipe ends that this process reads."""
    with Kit(Config.from_env()) as kit:
        kit.node.serve()
        print("ready", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
