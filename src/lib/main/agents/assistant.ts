import { z } from "zod";
import type { Agent } from "../../engine/agent.ts";
import { defineAgent } from "../../engine/define-agent.ts";
import { openaiAgents } from "../../engine/openai-agents.ts";
import type { DemoParts } from "./demo-parts.ts";
import { createDemoModel, type Move, type View } from "./demo-model.ts";
import { calculatorTool, clockTool } from "./tools.ts";
import { understand } from "./understand.ts";

const NAME = "assistant";

/** A helper with tools: the time anywhere, arithmetic, dice, and notes that need approval. */
export function createAssistant(parts: DemoParts): Agent {
  const { sdk, random, real } = parts;
  const dice = sdk.tool({
    name: "dice",
    description: "Rolls dice and gives each result and the total.",
    parameters: z.object({ count: z.int().min(1).max(20), sides: z.int().min(2).max(1000) }),
    execute: async ({ count, sides }) => {
      const rolls = Array.from({ length: count }, () => 1 + Math.floor(random() * sides));
      return count === 1 ? String(rolls[0]) : `${rolls.join(", ")} (together ${rolls.reduce((total, roll) => total + roll, 0)})`;
    },
  });
  const sendNote = sdk.tool({
    name: "send_note",
    description: "Sends a short note to a person. A human approves each note first.",
    parameters: z.object({ to: z.string().min(1).max(100), text: z.string().min(1).max(1000) }),
    needsApproval: true,
    execute: async ({ to, text }) => `The note to ${to} (${text.length} characters) was approved. This demo has no mailbox, so it ends here.`,
  });
  const agent = new sdk.Agent({
    name: NAME,
    instructions: "You are a friendly, brief helper. Use the tools for times, arithmetic, dice and notes; never guess what a tool can tell.",
    tools: [clockTool(parts), calculatorTool(parts), dice, sendNote],
    ...(real === undefined && { model: createDemoModel((view) => think(view), parts) }),
  });
  return defineAgent({
    id: NAME,
    name: "Assistant",
    description: "A helper with tools: the time anywhere, arithmetic, dice, and notes that you approve before they are sent.",
    engine: openaiAgents(agent, { ...real, idempotentTools: ["clock", "calculator", "dice"] }),
    skills: [
      {
        id: "time",
        name: "World clock",
        description: "Tells the date and time in a city or time zone.",
        tags: ["time"],
        examples: ["What time is it in Tokyo?"],
      },
      { id: "calculate", name: "Calculator", description: "Works out an arithmetic expression.", tags: ["math"], examples: ["2*21", "15% of 80"] },
      { id: "dice", name: "Dice", description: "Rolls dice.", tags: ["games"], examples: ["Roll 2d6"] },
      {
        id: "note",
        name: "Notes",
        description: "Sends a note after you approved it.",
        tags: ["approval"],
        examples: ["Send a note to Ada: the tests are green"],
      },
    ],
  });
}

/** The scripted model's part. */
export function think({ said, results }: View): Move {
  const result = results.at(-1);
  if (result !== undefined) return { say: report(result.tool, result.output) };
  const wish = understand(said);
  switch (wish.kind) {
    case "time":
      return { call: "clock", arguments: { place: wish.place }, because: `The user wants to know the time in ${wish.place}. The clock tells.` };
    case "calculate":
      return { call: "calculator", arguments: { expression: wish.expression }, because: "This is arithmetic. The calculator is exact, so it should do it." };
    case "dice":
      return { call: "dice", arguments: { count: wish.count, sides: wish.sides }, because: "The user wants dice rolled." };
    case "note":
      return { call: "send_note", arguments: { to: wish.to, text: wish.text }, because: `A note to ${wish.to} goes out only when the user approves it.` };
    default:
      return { say: introduction(said) };
  }
}

function report(tool: string, output: string): string {
  if (output.startsWith("An error occurred")) return `That did not work. ${output.replace(/^.*?Error: (?:IasError: )?/s, "")}`;
  switch (tool) {
    case "clock":
      return `It is ${output}.`;
    case "calculator":
      return `The result is ${output}.`;
    case "dice":
      return `The dice show ${output}.`;
    default:
      return output;
  }
}

function introduction(said: string): string {
  const heard = said.trim() === "" ? "" : `You said: “${said.trim().slice(0, 200)}”. `;
  return `${heard}Hello! I am a scripted stand-in, not a real model, so I only understand a few things. Try “What time is it in Tokyo?”, “2*21”, “Roll 2d6”, or “Send a note to Ada: the tests are green”, which asks for your approval. ${REAL_MODEL}`;
}

/** How to get a real model, in words for people. */
export const REAL_MODEL =
  "For real answers start the server with a model: `npm start -- --model <name>` with OPENAI_API_KEY set, or with OPENAI_BASE_URL=http://127.0.0.1:11434/v1 for Ollama or any other compatible server.";
