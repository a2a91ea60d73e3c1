"""Pushes by aioapns, which sends and keeps nothing: ``python -m`` SETTINGS MANY prints seconds."""

import asyncio
import json
import ssl
import sys
from pathlib import Path
from time import perf_counter

from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol

from tests.bench.bodies import push_token, toast

AT_ONCE = 64


async def main(settings, key, many):
    host, _, port = settings["apns_host"].partition(":")
    # It knows Apple's hosts alone; this is where it looks for one.
    APNsProductionClientProtocol.APNS_SERVER = host
    APNsProductionClientProtocol.APNS_PORT = int(port)
    trust = ssl.create_default_context(cafile=settings["apns_ca_file"])
    trust.set_alpn_protocols(["h2"])
    client = APNs(
        key=key,
        key_id=settings["apns_key_id"],
        team_id=settings["apns_team_id"],
        topic="com.example.app",
        max_connections=1,
        ssl_context=trust,
    )
    room = asyncio.Semaphore(AT_ONCE)

    async def post(number):
        async with room:
            wanted = NotificationRequest(
                push_token(number), {"aps": {"alert": toast(0)}}, push_type=PushType.ALERT
            )
            answer = await client.send_notification(wanted)
            assert answer.is_successful, answer.description

    await post(0)
    began = perf_counter()
    await asyncio.gather(*(post(number) for number in range(many)))
    print(perf_counter() - began)


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    key = Path(settings["apns_key_file"]).read_text()
    asyncio.run(main(settings, key, int(sys.argv[2])))
