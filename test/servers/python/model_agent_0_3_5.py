"""A subject on a2a-sdk 0.3.5 in front of a model server: `updater.update_status()` for each chunk, as the SDK's own examples do.

Usage: python model_agent_0_3_5.py http://127.0.0.1:PORT TOKENS
Prints one line of JSON with its port when it listens; ends with its standard input.
"""

import asyncio
import json
import socket
import sys

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, Part, Task, TaskState, TaskStatus, TextPart

from model_stream import texts

BASE_URL, TOKENS = sys.argv[1], int(sys.argv[2])


class Subject(AgentExecutor):
    async def execute(self, context, event_queue):
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        status = TaskStatus(state=TaskState.submitted)
        await event_queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status, history=[context.message]))
        async for text in texts(BASE_URL, context.get_user_input(), TOKENS):
            await updater.update_status(TaskState.working, updater.new_agent_message([Part(root=TextPart(text=text))]))
        await updater.complete()

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


async def main():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    card = AgentCard(
        name="purple",
        description="Answers with a model",
        version="1.0.0",
        url=f"http://127.0.0.1:{port}/",
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[],
    )
    app = A2AStarletteApplication(card, DefaultRequestHandler(Subject(), InMemoryTaskStore())).build()
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(json.dumps({"port": port}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        pass
    server.force_exit = server.should_exit = True
    await serving


asyncio.run(main())
