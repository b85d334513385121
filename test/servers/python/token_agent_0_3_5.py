"""Subjects on a2a-sdk 0.3.5 that hand tokens on in three ways; the message's text says which: {"how": "update" | "collect" | "block", "tokens": n, "gapMs": ms, "gated": bool}.

Each token is "<n>@<time> ", the time when it was made in ms since the epoch. Prints one line of JSON with its port when it listens; ends with its standard input.
Each line there lets one token of a gated message go.
"""

import asyncio
import json
import socket
import sys
import time

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, Part, Task, TaskState, TaskStatus, TextPart

gate = asyncio.Semaphore(0)


def token(n):
    return f"{n}@{time.time() * 1000:.0f} "


async def made(script):
    for n in range(script["tokens"]):
        if script.get("gated"):
            await gate.acquire()
        await asyncio.sleep(script.get("gapMs", 0) / 1000)
        yield token(n)


class Subject(AgentExecutor):
    async def execute(self, context, event_queue):
        script = json.loads(context.get_user_input())
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        status = TaskStatus(state=TaskState.submitted)
        await event_queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status, history=[context.message]))

        async def tell(text):
            await updater.update_status(TaskState.working, updater.new_agent_message([Part(root=TextPart(text=text))]))

        if script["how"] == "update":
            async for text in made(script):
                await tell(text)
        elif script["how"] == "collect":
            await tell("".join([text async for text in made(script)]))
        else:
            # A synchronous model client in an asynchronous executor: nothing else of this process runs meanwhile.
            for n in range(script["tokens"]):
                time.sleep(script.get("gapMs", 0) / 1000)
                await tell(token(n))
        await updater.complete()

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


async def main():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    card = AgentCard(
        name="tokens",
        description="Hands tokens on",
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
        gate.release()
    server.force_exit = server.should_exit = True
    await serving


asyncio.run(main())
