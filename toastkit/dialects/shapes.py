"""How texts on the wire look, for whoever reads their schemas.

None of this is checked while a body is read: each field has a check of its own that says what is
wrong. It is what such a schema can say of those checks.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

_PLAIN = r"[^\x00-\x1f\x7f]"
_WORD = r"[^\s:*\x00-\x1f\x7f]"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_ULID = r"^[0-7][0-9A-HJKMNP-TV-Z]{25}$"


def text(meaning: str, most: int = 200, **more: Any) -> Meta:
    """Return what says of a text that it is 1 to ``most`` printable characters, and what it means."""
    pattern = f"^{_PLAIN}+$"
    schema = {"minLength": 1, "maxLength": most, "pattern": pattern, **more}
    return Meta(description=meaning, extra_json_schema=schema)


Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
"""ISO 8601 with an offset."""

ToastId = Annotated[
    str, Meta(description="A toast's id: a ULID.", extra_json_schema={"pattern": _ULID})
]
TopicName = Annotated[
    str,
    text(
        "`user:<id>` and what is below it are one user's; any other topic is nobody's.",
        pattern=f"^{_WORD}+(:{_WORD}+)*$",
    ),
]
Wanted = Annotated[
    str,
    text(
        "A topic, or `user:<id>:*`: everything below one's own.",
        pattern=rf"^{_WORD}+(:{_WORD}+)*(:\*)?$",
    ),
]
DeviceId = Annotated[
    str,
    text(
        "Which device it is; no path. `clerk:` and `anon:` are reserved for those of clients that "
        "name none.",
        pattern=r"^[^\x00-\x1f\x7f/\\]+$",
    ),
]
Handset = Annotated[
    Any,
    text("Which device it is: as long as it is kept secret, nobody else's.", type="string"),
]
Secret = Annotated[
    Any,
    Meta(
        description="What the device's first session gave, with TOASTKIT_DEVICE_SECRET.",
        extra_json_schema={"type": ["string", "null"]},
    ),
]
BundleId = Annotated[
    str,
    text(
        "The iOS app; by default the one that is set for the service.",
        155,
        pattern=r"^[A-Za-z0-9\-]+(\.[A-Za-z0-9\-]+)*$",
    ),
]
UserId = (
    Annotated[
        str,
        text(
            "A user's id, or `anon:<uuid>`. A whole number is taken as text.",
            pattern=f"^({_WORD}+|anon:{_UUID})$",
            **{"not": {"const": "anon"}},
        ),
    ]
    | int
)
Apns = Annotated[
    dict[str, Any],
    Meta(
        description="Where a push goes; without it nothing is pushed to this device any more. "
        "`device_token` is understood for `token`.",
        extra_json_schema={
            "properties": {
                "token": {"type": "string", "pattern": "^[0-9A-Fa-f]{64,200}$"},
                "device_token": {"type": "string", "pattern": "^[0-9A-Fa-f]{64,200}$"},
                "environment": {"enum": ["production", "sandbox", "development", None]},
            },
            "anyOf": [{"required": ["token"]}, {"required": ["device_token"]}],
        },
    ),
]
