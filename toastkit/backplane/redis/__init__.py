"""What workers share over Redis: events, answers, short history, presence."""

from .backplane import RedisBackplane

__all__ = ["RedisBackplane"]
