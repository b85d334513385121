import type { TestContext } from "node:test";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { campaignOf } from "./campaigns.ts";
import { agentOf, serving } from "./serving.ts";

/** What a subject does in a turn. */
export type Play = (turn: Turn, signal: AbortSignal) => AsyncIterable<AgentEvent>;

/** A campaign of six items against an agent that does what `play` does; it passes where the answer has "hello". */
export async function against(t: TestContext, play: Play, change: Partial<Campaign> = {}): Promise<Campaign> {
  const server = await serving(t, [agentOf(play)]);
  return campaignOf({
    subjects: [{ id: "purple", url: `${server.url}/a2a/agent`, concurrency: 4, headersFromEnv: {} }],
    items: Array.from({ length: 6 }, (_, index) => ({ id: `i${index}`, prompt: `prompt ${index}`, expected: "hello" })),
    ...change,
  });
}

/** Answers "hello world". */
export async function* hello(): AsyncGenerator<AgentEvent> {
  yield { kind: "text", text: "hello " };
  yield { kind: "text", text: "world" };
}

/** Says half a word and then nothing until it is stopped. */
export async function* hangs(_: Turn, signal: AbortSignal): AsyncGenerator<AgentEvent> {
  yield { kind: "text", text: "hel" };
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

/** The text that a subject was asked. */
export function promptOf({ input }: Turn): string {
  return input.flatMap(({ parts }) => parts.map(({ text }) => text ?? "")).join("");
}
