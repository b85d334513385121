"""A client on the official Python SDK (a2a-sdk 1.x) that subscribes to a task in mid-stream: prints `open` at its first event, and at the end the SHA-256 of
the text that it has, and how many events it got.

Usage: python subscribe_client_1.py URL JSONRPC|HTTP+JSON|GRPC TASK
"""

import asyncio
import hashlib
import sys

import grpc
import httpx
from a2a.client.client import ClientConfig
from a2a.client.client_factory import create_client
from a2a.types.a2a_pb2 import SubscribeToTaskRequest


async def main(url, binding, task):
    config = ClientConfig(
        supported_protocol_bindings=[binding],
        use_client_preference=True,
        httpx_client=httpx.AsyncClient(timeout=300),
        grpc_channel_factory=grpc.aio.insecure_channel,
    )
    client = await create_client(url, client_config=config)
    digest = hashlib.sha256()
    events = 0
    async for event in client.subscribe(SubscribeToTaskRequest(id=task)):
        if events == 0:
            print("open", flush=True)
        events += 1
        artifacts = event.task.artifacts if event.HasField("task") else [event.artifact_update.artifact] if event.HasField("artifact_update") else []
        for artifact in artifacts:
            for part in artifact.parts:
                digest.update(part.text.encode())
    print(digest.hexdigest(), events, flush=True)
    await client.close()


asyncio.run(main(*sys.argv[1:]))
