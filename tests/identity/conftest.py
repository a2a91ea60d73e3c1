"""Repositories that keep everything in a dictionary."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from toastkit.config import Config
from toastkit.identity import Devices, Sessions, Tickets
from toastkit.records import Device, Position, Session, Ticket
from toastkit.testing import ManualClock


class SessionTable(dict[str, Session]):
    def add(self, session: Session) -> None:
        self[session.token_hash] = session

    def find(self, token_hash: str) -> Session | None:
        return self.get(token_hash)

    def revoke(self, token_hash: str, user_id: str, at: int) -> bool:
        session = self[token_hash]
        assert session.user_id == user_id
        self[token_hash] = replace(session, revoked_at=at)
        return session.revoked_at is None

    def revoke_all(self, user_id: str, at: int) -> list[str]:
        alive = [each for each in self.values() if each.user_id == user_id and not each.revoked_at]
        return [each.token_hash for each in alive if self.revoke(each.token_hash, user_id, at)]

    def revoked_since(self, at: int) -> list[Session]:
        return [each for each in self.values() if (each.revoked_at or 0) >= at]


class TicketTable(dict[str, Ticket]):
    def add(self, ticket: Ticket) -> None:
        self[ticket.token_hash] = ticket

    def find(self, token_hash: str) -> Ticket | None:
        return self.get(token_hash)

    def position(self, user_id: str) -> Position:
        return Position(len(user_id), "epoch")


class DeviceTable(list[Device]):
    most = 0

    def register(self, device: Device, most: int) -> None:
        self.append(device)
        self.most = most

    def of(self, user_id: str) -> list[Device]:
        return [device for device in self if device.user_id == user_id]

    def remove(self, user_id: str, device_id: str) -> bool:
        gone = [each for each in self.of(user_id) if each.device_id == device_id]
        self[:] = [each for each in self if each not in gone]
        return bool(gone)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def session_table() -> SessionTable:
    return SessionTable()


@pytest.fixture
def ticket_table() -> TicketTable:
    return TicketTable()


@pytest.fixture
def sessions(session_table: SessionTable, clock: ManualClock) -> Sessions:
    return Sessions(session_table, Config(), clock)


@pytest.fixture
def tickets(ticket_table: TicketTable, clock: ManualClock) -> Tickets:
    return Tickets(ticket_table, Config(), clock)


@pytest.fixture
def devices(clock: ManualClock) -> Devices:
    return Devices(DeviceTable(), Config(), clock)
