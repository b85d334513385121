"""A green agent on a2a-sdk 0.3.5 as AgentBeats' tutorial builds them: judge_agent_0_3_5.py --host H --port P [--card-url U].

It takes {"participants": {role: url}, "config": {"question", "expected"}} as text, asks each participant with streaming off, tells each answer as a status,
and ends with an artifact whose parts are a sentence and the JSON text {"winner", "detail"}.
"""

import argparse
import json
import uuid

import httpx
import uvicorn
from a2a.client import A2ACardResolver, ClientConfig, ClientFactory
from a2a.server.agent_execution import AgentExecutor
from a2a.server.apps import A2AStarletteApplication
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, Message, Part, Role, TaskState, TextPart
from a2a.utils import new_agent_text_message, new_task


def part(text):
    return Part(root=TextPart(text=text))


async def ask(url, text):
    async with httpx.AsyncClient(timeout=60) as http:
        card = await A2ACardResolver(httpx_client=http, base_url=url).get_agent_card()
        client = ClientFactory(ClientConfig(httpx_client=http, streaming=False)).create(card)
        async for task, _ in client.send_message(Message(role=Role.user, message_id=uuid.uuid4().hex, parts=[part(text)])):
            return "".join(one.root.text for artifact in task.artifacts or [] for one in artifact.parts)


class Judge(AgentExecutor):
    async def execute(self, context, event_queue):
        request = json.loads(context.get_user_input())
        config = request["config"]
        task = new_task(context.message)
        await event_queue.enqueue_event(task)
        updater = TaskUpdater(event_queue, task.id, task.context_id)
        await updater.update_status(TaskState.working, new_agent_text_message(f"Starting assessment.\n{json.dumps(request)}"))
        answers = {}
        for role, url in request["participants"].items():
            answers[role] = await ask(url, config["question"])
            await updater.update_status(TaskState.working, new_agent_text_message(f"{role}: {answers[role]}"))
        winner = next((role for role, answer in answers.items() if config["expected"] in answer), "nobody")
        result = {"winner": winner, "detail": {"answers": answers}}
        await updater.add_artifact([part(f"{winner} was right first."), part(json.dumps(result))], name="Result")
        await updater.complete()

    async def cancel(self, context, event_queue):
        raise NotImplementedError


parser = argparse.ArgumentParser()
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--card-url")
args = parser.parse_args()
card = AgentCard(
    name="judge",
    description="Judges who is right first",
    version="1.0.0",
    url=args.card_url or f"http://{args.host}:{args.port}/",
    capabilities=AgentCapabilities(streaming=True),
    default_input_modes=["text"],
    default_output_modes=["text"],
    skills=[],
)
app = A2AStarletteApplication(card, DefaultRequestHandler(Judge(), InMemoryTaskStore())).build()
uvicorn.run(app, host=args.host, port=args.port, log_level="warning", lifespan="off")
