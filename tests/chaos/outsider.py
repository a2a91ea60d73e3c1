"""Publish what each line of stdin says, without ever serving anybody; settings are the service's."""

import json
import sys

from msgspec.json import encode

from toastkit import Config, Kit
from toastkit.errors import StorageUnavailable


def main():
    """Answer each JSON line of arguments with the receipt, or with what went wrong."""
    with Kit(Config.from_env()) as kit:
        print("ready", flush=True)
        for line in sys.stdin:
            try:
                answer = encode(kit.publish_toast(**json.loads(line))).decode()
            except StorageUnavailable as error:
                answer = json.dumps({"status": "error", "id": str(error)})
            print(answer, flush=True)


if __name__ == "__main__":
    main()
