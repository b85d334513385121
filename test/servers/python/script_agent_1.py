"""A2A 1.0 agent on the official Python SDK (a2a-sdk 1.x): JSON-RPC at /rpc, REST at /rest, gRPC. It does what the message's text says (see script.ts).

Prints one line of JSON with its ports when it listens; ends with its standard input.
Each line there lets one chunk of a gated script go.
"""

import asyncio
import json
import socket
import sys

import grpc
import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandlerV2, GrpcHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryPushNotificationConfigStore, InMemoryTaskStore, TaskUpdater
from a2a.types import a2a_pb2_grpc
from a2a.types.a2a_pb2 import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, Message, Part, Role, Task, TaskState, TaskStatus
from starlette.applications import Starlette


gate = asyncio.Semaphore(0)


class ScriptAgent(AgentExecutor):
    async def execute(self, context, event_queue):
        script = json.loads(context.message.parts[0].text)
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        if script["do"] == "reply":
            await event_queue.enqueue_event(Message(message_id="reply", role=Role.ROLE_AGENT, context_id=context.context_id, parts=[Part(text=script["text"])]))
            return
        if context.current_task is None:
            status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
            await event_queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status, history=[context.message]))
        await updater.start_work()
        for index, text in enumerate(script.get("chunks", [])):
            if script.get("gated"):
                await gate.acquire()
            await asyncio.sleep(script.get("everyMs", 0) / 1000)
            if script["do"] == "status":
                await updater.start_work(updater.new_agent_message([Part(text=text)]))
            else:
                await updater.add_artifact([Part(text=text)], artifact_id="a1", name="answer", append=index > 0)
        say = lambda text: updater.new_agent_message([Part(text=text)])
        if script["do"] == "ask":
            await updater.requires_input(say("Which one?"))
        elif script["do"] == "auth":
            await updater.requires_auth(say("Log in first"))
        elif script["do"] == "fail":
            await updater.failed(say("It broke"))
        elif script["do"] == "wait":
            await asyncio.Event().wait()
        else:
            await updater.complete(say(script["text"]) if "text" in script else None)

    async def cancel(self, context, event_queue):
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


def listening():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


async def main():
    sock = listening()
    port = sock.getsockname()[1]
    rpc = grpc.aio.server()
    grpc_port = rpc.add_insecure_port("127.0.0.1:0")
    card = AgentCard(
        name="python-1",
        description="Does what the text says",
        version="1.0.0",
        supported_interfaces=[
            AgentInterface(url=f"http://127.0.0.1:{port}/rpc", protocol_binding="JSONRPC", protocol_version="1.0"),
            AgentInterface(url=f"http://127.0.0.1:{port}/rest", protocol_binding="HTTP+JSON", protocol_version="1.0"),
            AgentInterface(url=f"127.0.0.1:{grpc_port}", protocol_binding="GRPC", protocol_version="1.0"),
        ],
        capabilities=AgentCapabilities(streaming=True, push_notifications=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
        skills=[AgentSkill(id="s", name="s", description="s", tags=["t"])],
    )
    handler = DefaultRequestHandlerV2(ScriptAgent(), InMemoryTaskStore(), card, push_config_store=InMemoryPushNotificationConfigStore())
    routes = [*create_agent_card_routes(card), *create_jsonrpc_routes(handler, "/rpc"), *create_rest_routes(handler, path_prefix="/rest")]
    a2a_pb2_grpc.add_A2AServiceServicer_to_server(GrpcHandler(handler), rpc)
    await rpc.start()
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(json.dumps({"port": port, "grpcPort": grpc_port}), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        gate.release()
    server.force_exit = server.should_exit = True
    await rpc.stop(0)
    await serving


asyncio.run(main())
