"""A client on the official Python SDK of protocol 0.3 (a2a-sdk 0.3.x) that subscribes to a task in mid-stream: prints `open` at its first event, and at the
end the SHA-256 of the text that it has, and how many events it got.

Usage: python subscribe_client_0_3.py URL JSONRPC|HTTP+JSON TASK
"""

import asyncio
import hashlib
import sys

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.types import TaskArtifactUpdateEvent, TaskIdParams


async def main(url, binding, task):
    config = ClientConfig(supported_transports=[binding], use_client_preference=True, httpx_client=httpx.AsyncClient(timeout=300))
    client = await ClientFactory.connect(url, client_config=config)
    digest = hashlib.sha256()
    events = 0
    async for whole, event in client.resubscribe(TaskIdParams(id=task)):
        if events == 0:
            print("open", flush=True)
        events += 1
        artifacts = (whole.artifacts or []) if event is None else [event.artifact] if isinstance(event, TaskArtifactUpdateEvent) else []
        for artifact in artifacts:
            for part in artifact.parts:
                digest.update(part.root.text.encode())
    print(digest.hexdigest(), events, flush=True)


asyncio.run(main(*sys.argv[1:]))
