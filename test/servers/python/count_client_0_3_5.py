"""Sends a message with a2a-sdk 0.3.5's own client and prints, as JSON, when each of its events came: count_client_0_3_5.py <url> <text> <streaming: yes | no>."""

import asyncio
import json
import sys
import time
import uuid

import httpx
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, TextPart


async def main(url, text, streaming):
    arrivals = []
    start = time.monotonic()
    async with httpx.AsyncClient(timeout=None) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=url).get_agent_card()
        client = ClientFactory(ClientConfig(httpx_client=http, streaming=streaming == "yes")).create(card)
        message = Message(role=Role.user, message_id=uuid.uuid4().hex, parts=[Part(root=TextPart(text=text))])
        async for _ in client.send_message(message):
            arrivals.append(round((time.monotonic() - start) * 1000))
    print(json.dumps(arrivals))


asyncio.run(main(*sys.argv[1:]))
