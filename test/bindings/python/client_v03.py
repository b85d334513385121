"""Python a2a-sdk 0.3.x as a client: sends one message and prints what it gets, a line of JSON for each, as soon as it is there.

Usage: client_v03.py <agent URL> <JSONRPC | HTTP+JSON>
"""

import asyncio
import json
import sys

import httpx
from a2a.client import A2AClientError, ClientConfig, ClientFactory
from a2a.types import Message, Part, Role, TaskArtifactUpdateEvent, TaskQueryParams, TextPart


def tell(kind, value):
    print(json.dumps([kind, value]), flush=True)


async def main(url, transport):
    config = ClientConfig(httpx_client=httpx.AsyncClient(timeout=60), supported_transports=[transport], use_client_preference=True)
    client = await ClientFactory.connect(url, client_config=config)
    message = Message(message_id="m", role=Role.user, parts=[Part(root=TextPart(text="count"))])
    task_id = None
    async for event in client.send_message(message):
        task, update = event
        task_id = task.id
        if isinstance(update, TaskArtifactUpdateEvent):
            tell("text", update.artifact.parts[0].root.text)
    task = await client.get_task(TaskQueryParams(id=task_id))
    tell("task", task.model_dump(mode="json", exclude_none=True, by_alias=True))
    try:
        await client.get_task(TaskQueryParams(id="none"))
    except A2AClientError as error:
        tell("error", type(error).__name__)


asyncio.run(main(*sys.argv[1:]))
