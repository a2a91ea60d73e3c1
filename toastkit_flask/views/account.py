"""What an app needs to know of its user when it starts (B6)."""

from __future__ import annotations

from flask import Response

from toastkit.dialects import account as written
from toastkit.dialects.accounts import FACTS

from ..answers import Account
from ..bodies import answer
from ..door import Door
from ..guards import current_principal
from ..operations import Operation
from ..policies import Policy
from ..state import state

account = Door("toastkit_account")


@account.get(
    "/auth/bootstrap",
    policy=Policy.PRINCIPAL,
    rate="profile",
    operation=Operation("get_account", Account),
)
def bootstrap() -> Response:
    """Return profile, subscription and secrets of whoever asks, as the host's hooks know them."""
    user_id = current_principal().user_id
    hooks = {name: getattr(state().hooks, name) for name in FACTS}
    return answer(written({name: ask and ask(user_id) for name, ask in hooks.items()}))
