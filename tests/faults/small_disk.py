"""Run Python with a small disk mounted on a folder, which nobody else sees: ``FOLDER BYTES ARGS…``.

Everything mounted ends with the process: it lives in a mount namespace of its own. From outside the
disk is ``/proc/PID/root/FOLDER``.
"""

import ctypes
import os
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000


def mount(folder, size):
    """Mount a disk of so many bytes; raises ``OSError`` where this process may not."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    _must(libc.unshare(CLONE_NEWNS if user == 0 else CLONE_NEWNS | CLONE_NEWUSER))
    if user != 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"0 {user} 1"),
            ("gid_map", f"0 {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    _must(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    _must(libc.mount(b"small", os.fsencode(folder), b"tmpfs", 0, f"size={size}".encode()))


def _must(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    _, folder, size, *arguments = sys.argv
    mount(folder, int(size))
    os.execv(sys.executable, [sys.executable, *arguments])
