"""The official Python SDK (a2a-sdk 1.x) on uvicorn with uvloop and httptools, tasks in memory without copies: its quickest configuration."""

import asyncio
import json
import logging
import os
import time

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import a2a_pb2 as a2a
from starlette.applications import Starlette


def micros():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


async def chunks(n, rate):
    start = micros()
    for i in range(n):
        if rate == 0:
            await asyncio.sleep(0)
            stamp = micros()
        else:
            intended = start + round((i + 1) * 1_000_000 / rate)
            wait = intended - micros()
            await asyncio.sleep(max(0, wait / 1_000_000))
            stamp = min(intended, micros())
        yield f"@{stamp}# token"


class LoadAgent(AgentExecutor):
    async def execute(self, context, event_queue):
        ids = {"task_id": context.task_id, "context_id": context.context_id}

        def status(state):
            value = a2a.TaskStatus(state=state)
            value.timestamp.GetCurrentTime()
            return value

        plan = json.loads(context.message.parts[0].text)
        task = a2a.Task(id=context.task_id, context_id=context.context_id, status=status(a2a.TASK_STATE_SUBMITTED), history=[context.message])
        await event_queue.enqueue_event(task)
        await event_queue.enqueue_event(a2a.TaskStatusUpdateEvent(**ids, status=status(a2a.TASK_STATE_WORKING)))
        append = False
        async for text in chunks(plan["n"], plan["rate"]):
            artifact = a2a.Artifact(artifact_id="a1", parts=[a2a.Part(text=text)])
            await event_queue.enqueue_event(a2a.TaskArtifactUpdateEvent(**ids, artifact=artifact, append=append))
            append = True
        await event_queue.enqueue_event(a2a.TaskStatusUpdateEvent(**ids, status=status(a2a.TASK_STATE_COMPLETED)))

    async def cancel(self, context, event_queue):
        pass


def main():
    logging.disable(logging.WARNING)
    port = int(os.environ.get("PORT", "4100"))
    interface = a2a.AgentInterface(url=f"http://127.0.0.1:{port}/a2a/bench", protocol_binding="JSONRPC", protocol_version="1.0")
    card = a2a.AgentCard(
        name="bench",
        description="The load agent",
        version="1.0.0",
        supported_interfaces=[interface],
        capabilities=a2a.AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
    )
    handler = DefaultRequestHandler(agent_executor=LoadAgent(), task_store=InMemoryTaskStore(use_copying=False), agent_card=card)

    class Server(uvicorn.Server):
        async def startup(self, sockets=None):
            await super().startup(sockets=sockets)
            print("ready", flush=True)

    app = Starlette(routes=create_jsonrpc_routes(handler, "/a2a/bench"))
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="critical", access_log=False, loop="uvloop", http="httptools", lifespan="off")
    Server(config).run()


main()
