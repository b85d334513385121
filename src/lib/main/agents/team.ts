import type { Agent } from "../../engine/agent.ts";
import { defineAgent } from "../../engine/define-agent.ts";
import { openaiAgents } from "../../engine/openai-agents.ts";
import { REAL_MODEL, think } from "./assistant.ts";
import type { DemoParts } from "./demo-parts.ts";
import { createDemoModel, type Move, type View } from "./demo-model.ts";
import { calculatorTool, clockTool } from "./tools.ts";
import { understand } from "./understand.ts";

const NAME = "team";

/** A coordinator that hands off to two specialists, for numbers and for places, and asks a researcher, whom it uses as a tool. */
export function createTeam(parts: DemoParts): Agent {
  const { sdk, real } = parts;
  const brain = (move: (view: View) => Move) => (real === undefined ? { model: createDemoModel(move, parts) } : {});
  const numbers = new sdk.Agent({
    name: "numbers",
    handoffDescription: "Works out arithmetic.",
    instructions: "You work out numbers. Always use the calculator, then say the result in one sentence.",
    tools: [calculatorTool(parts)],
    ...brain(think),
  });
  const places = new sdk.Agent({
    name: "places",
    handoffDescription: "Knows the time anywhere in the world.",
    instructions: "You know the time anywhere. Always use the clock, then answer in one sentence.",
    tools: [clockTool(parts)],
    ...brain(think),
  });
  const researcher = new sdk.Agent({
    name: "researcher",
    instructions: "You collect three short points on a topic: what it is, why it matters, what to check first.",
    ...brain(research),
  });
  const coordinator = new sdk.Agent({
    name: NAME,
    instructions:
      "You coordinate a small team. Hand arithmetic off to numbers and questions of time to places. For any other topic ask the researcher, then answer the user in a few sentences of your own.",
    handoffs: [numbers, places],
    tools: [researcher.asTool({ toolName: "ask_researcher", toolDescription: "Asks the researcher for three short points on a topic." })],
    ...brain(coordinate),
  });
  return defineAgent({
    id: NAME,
    name: "Team",
    description: "A coordinator that hands work off to two specialists, for numbers and for places, and asks a researcher whose words you can watch.",
    engine: openaiAgents(coordinator, { ...real, idempotentTools: ["clock", "calculator"], children: [researcher] }),
    skills: [
      {
        id: "delegate",
        name: "Delegation",
        description: "Passes a question to the right specialist.",
        tags: ["team", "handoff"],
        examples: ["What is 12 * 12?", "What time is it in Oslo?"],
      },
      {
        id: "research",
        name: "Research",
        description: "Collects points on a topic, then answers.",
        tags: ["team", "research"],
        examples: ["Tell me about tide pools"],
      },
    ],
  });
}

function coordinate({ said, results }: View): Move {
  const found = results.at(-1);
  if (found !== undefined) {
    return { say: `Here is what the researcher found, in short. ${found.output.trim()} That is all a scripted team can say about it. ${REAL_MODEL}` };
  }
  const wish = understand(said);
  if (wish.kind === "calculate") return { call: "transfer_to_numbers", arguments: {}, because: "This is arithmetic, so numbers should answer." };
  if (wish.kind === "time") return { call: "transfer_to_places", arguments: {}, because: "This is a question of time, so places should answer." };
  return {
    call: "ask_researcher",
    arguments: { input: said.trim() === "" ? "the user's question" : said.trim() },
    because: "I need some points on this first. The researcher can collect them.",
  };
}

function research({ said }: View): Move {
  const topic = said
    .trim()
    .replace(/^(?:please\s+)?(?:tell me about|what is|what are|who is|explain|research|write about)\s+/i, "")
    .replace(/[.?!]+$/, "")
    .slice(0, 120);
  return { say: `First: name what “${topic}” is, in one sentence. Second: say who needs it and why. Third: check the newest source before you rely on it.` };
}
