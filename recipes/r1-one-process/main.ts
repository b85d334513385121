import { Agent, tool } from "@openai/agents";
import { defineAgent, type Engine, serve } from "infinite-agent-streams";
import { openaiAgents } from "infinite-agent-streams/openai-agents";
import { z } from "zod";

// An agent of the OpenAI Agents SDK, as it is anywhere else. OPENAI_API_KEY, or OPENAI_BASE_URL for any compatible server.
const librarian = new Agent({
  name: "Librarian",
  instructions: "Answer in one sentence. Look books up before you speak of them.",
  model: process.env["MODEL"] ?? "gpt-5-mini",
  tools: [
    tool({
      name: "look_up",
      description: "Finds a book by its title.",
      parameters: z.object({ title: z.string() }),
      execute: async ({ title }) => `${title}: on shelf ${title.length}`,
    }),
  ],
});

// An agent without any SDK: a generator of events.
const countdown: Engine = {
  async *run(turn, { signal }) {
    const from = Number(turn.input[0]?.parts[0]?.text) || 5;
    for (let n = from; n >= 0 && !signal.aborted; n -= 1) {
      yield { kind: "text", text: `${n} ` };
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  },
};

const server = await serve({
  agents: [
    // After a crash a turn starts again by itself, because all that it may have called is safe to call twice.
    defineAgent({ id: "librarian", description: "Knows the shelves.", engine: openaiAgents(librarian, { idempotentTools: ["look_up"] }) }),
    defineAgent({ id: "countdown", description: "Counts down from a number.", engine: countdown, onCrash: "restart" }),
  ],
  dataDir: process.env["DATA_DIR"] ?? "./.data",
  port: Number(process.env["PORT"] ?? 4000),
});
console.log(server.url);

// `on`, not `once`: the Agents SDK ends the process at a signal to which nobody else listens any more.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(
    signal,
    () =>
      void server
        .drain({ graceMs: 10_000 })
        .then(() => server[Symbol.asyncDispose]())
        .then(() => process.exit()),
  );
}
