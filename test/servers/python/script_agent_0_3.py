"""A2A 0.3 agent on the official Python SDK (a2a-sdk 0.3.x): JSON-RPC at /rpc, REST at /rest. It does what the message's text says (see script.ts).

Prints one line of JSON with its port when it listens; ends with its standard input.
Each line there lets one chunk of a gated script go.
"""

import asyncio
import json
import socket
import sys
import uuid

import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2ARESTFastAPIApplication, A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryPushNotificationConfigStore, InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Message, Part, Role, Task, TaskState, TaskStatus, TextPart


def text_part(text):
    return Part(root=TextPart(text=text))


gate = asyncio.Semaphore(0)


class ScriptAgent(AgentExecutor):
    async def execute(self, context, event_queue):
        script = json.loads(context.message.parts[0].root.text)
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        if script["do"] == "reply":
            message = Message(message_id=str(uuid.uuid4()), role=Role.agent, context_id=context.context_id, parts=[text_part(script["text"])])
            await event_queue.enqueue_event(message)
            return
        if context.current_task is None:
            task = Task(id=context.task_id, context_id=context.context_id, status=TaskStatus(state=TaskState.submitted), history=[context.message])
            await event_queue.enqueue_event(task)
        await updater.start_work()
        for index, text in enumerate(script.get("chunks", [])):
            if script.get("gated"):
                await gate.acquire()
            await asyncio.sleep(script.get("everyMs", 0) / 1000)
            if script["do"] == "status":
                await updater.start_work(updater.new_agent_message([text_part(text)]))
            else:
                await updater.add_artifact([text_part(text)], artifact_id="a1", name="answer", append=index > 0)
        say = lambda text: updater.new_agent_message([text_part(text)])
        if script["do"] == "ask":
            await updater.requires_input(say("Which one?"), final=True)
        elif script["do"] == "auth":
            await updater.requires_auth(say("Log in first"), final=True)
        elif script["do"] == "fail":
            await updater.failed(say("It broke"))
        elif script["do"] == "wait":
            await asyncio.Event().wait()
        else:
            await updater.complete(say(script["text"]) if "text" in script else None)

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


async def main():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    card = AgentCard(
        name="python-0.3",
        description="Does what the text says",
        version="1.0.0",
        url=f"{base}/rpc",
        preferred_transport="JSONRPC",
        additional_interfaces=[AgentInterface(transport="HTTP+JSON", url=f"{base}/rest")],
        capabilities=AgentCapabilities(streaming=True, push_notifications=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="s", name="s", description="s", tags=["t"])],
    )
    handler = DefaultRequestHandler(ScriptAgent(), InMemoryTaskStore(), push_config_store=InMemoryPushNotificationConfigStore())
    app = A2AStarletteApplication(card, handler).build(rpc_url="/rpc")
    app.mount("/rest", A2ARESTFastAPIApplication(card, handler).build())
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(json.dumps({"port": port, "grpcPort": 0}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        gate.release()
    server.force_exit = server.should_exit = True
    await serving


asyncio.run(main())
