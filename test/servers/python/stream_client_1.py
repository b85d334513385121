"""A client on the official Python SDK (a2a-sdk 1.x): sends one message as a stream and prints each artifact chunk's text as one line of JSON.

Usage: python stream_client_1.py URL JSONRPC|HTTP+JSON|GRPC TEXT
"""

import asyncio
import json
import sys
import uuid

import grpc
import httpx
from a2a.client.client import ClientConfig
from a2a.client.client_factory import create_client
from a2a.types.a2a_pb2 import Message, Part, Role, SendMessageRequest


async def main(url, binding, text):
    config = ClientConfig(
        supported_protocol_bindings=[binding],
        use_client_preference=True,
        httpx_client=httpx.AsyncClient(timeout=60),
        grpc_channel_factory=grpc.aio.insecure_channel,
    )
    client = await create_client(url, client_config=config)
    message = Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER, parts=[Part(text=text)])
    async for event in client.send_message(SendMessageRequest(message=message)):
        if event.HasField("artifact_update"):
            print(json.dumps("".join(part.text for part in event.artifact_update.artifact.parts)), flush=True)
    await client.close()


asyncio.run(main(*sys.argv[1:]))
