"""The service's own tables, beside toastkit's in the same database.

Whatever belongs to a user is named in ``OWNED``, so that it moves along when who was anonymous
signs in, and is forgotten and exported with everything else. Times are milliseconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, Table, Text

from toastkit import Owned

metadata = MetaData()

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("name", Text),
    Column("email", Text),
    Column("plan", Text, nullable=False),
    Column("has_github_pat", Boolean, nullable=False),
    Column("has_anthropic_key", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

credits = Table(
    "credits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", Text, nullable=False, index=True),
    Column("used", Integer, nullable=False),
    Column("granted", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""One row for whatever used or granted some: sums add up when two accounts become one."""

flags = Table(
    "flags",
    metadata,
    Column("name", Text, primary_key=True),
    Column("enabled", Boolean, nullable=False),
)

OWNED = (
    Owned.of(projects),
    Owned.of(credits),
    Owned.of(profiles, on_clash="keep"),  # who signs in has a name already
)
