"""A client on the official Python SDK of protocol 0.3 (a2a-sdk 0.3.x): sends one message as a stream and prints each artifact chunk's text as one line of JSON.

Usage: python stream_client_0_3.py URL JSONRPC|HTTP+JSON TEXT
"""

import asyncio
import json
import sys
import uuid

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, TaskArtifactUpdateEvent, TextPart


async def main(url, binding, text):
    config = ClientConfig(supported_transports=[binding], use_client_preference=True, httpx_client=httpx.AsyncClient(timeout=60))
    client = await ClientFactory.connect(url, client_config=config)
    message = Message(message_id=str(uuid.uuid4()), role=Role.user, parts=[Part(root=TextPart(text=text))])
    async for item in client.send_message(message):
        event = item[1] if isinstance(item, tuple) else None
        if isinstance(event, TaskArtifactUpdateEvent):
            print(json.dumps("".join(part.root.text for part in event.artifact.parts)), flush=True)


asyncio.run(main(*sys.argv[1:]))
