"""Python a2a-sdk 1.x as a client: sends one message and prints what it gets, a line of JSON for each, as soon as it is there.

Usage: client_v1.py <agent URL> <JSONRPC | HTTP+JSON | GRPC>
"""

import asyncio
import json
import sys

import grpc
import httpx
from a2a.client import ClientConfig, create_client
from a2a.types import GetTaskRequest, Message, Part, Role, SendMessageRequest
from a2a.utils.errors import TaskNotFoundError
from google.protobuf.json_format import MessageToDict


def tell(kind, value):
    print(json.dumps([kind, value]), flush=True)


async def main(url, binding):
    config = ClientConfig(
        httpx_client=httpx.AsyncClient(timeout=60),
        grpc_channel_factory=grpc.aio.insecure_channel,
        supported_protocol_bindings=[binding],
    )
    client = await create_client(url, client_config=config)
    message = Message(message_id="m", role=Role.ROLE_USER, parts=[Part(text="count")])
    task_id = None
    async for event in client.send_message(SendMessageRequest(message=message)):
        if event.HasField("task"):
            task_id = event.task.id
        if event.HasField("artifact_update"):
            tell("text", event.artifact_update.artifact.parts[0].text)
    task = await client.get_task(GetTaskRequest(id=task_id))
    tell("task", MessageToDict(task))
    try:
        await client.get_task(GetTaskRequest(id="none"))
    except TaskNotFoundError as error:
        tell("error", type(error).__name__)
    await client.close()


asyncio.run(main(*sys.argv[1:]))
