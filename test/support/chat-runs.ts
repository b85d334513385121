import { type Behaviour, type FaultyModel, promptFor } from "./faulty-model.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import { testTurn } from "../../src/lib/testing/test-turn.ts";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { openaiChat } from "../../src/lib/engine/openai-chat.ts";
import type { OpenAIChatOptions } from "../../src/lib/engine/openai-chat/options.ts";

// What the tests of the engine openai-chat ask and read.

export type Messages = readonly { readonly role: string; readonly content: unknown }[];

export const { signal } = new AbortController();

export function turnFor(behaviour: Behaviour, more: Partial<Turn> = {}): Turn {
  return testTurn(promptFor(behaviour), more);
}

/** What the nth request told the model. */
export function messagesOf({ requests }: FaultyModel, n: number): Messages {
  return (requests[n]?.body["messages"] ?? []) as Messages;
}

/** One turn against a server, with an engine of its own. */
export async function run(
  url: string,
  behaviour: Behaviour,
  options: Partial<OpenAIChatOptions> = {},
  onEvent?: (event: AgentEvent) => unknown,
  until: AbortSignal = signal,
  turn: Partial<Turn> = {},
): Promise<readonly AgentEvent[]> {
  await using engine = openaiChat({ baseUrl: `${url}/v1`, model: "faulty", ...options });
  return await collect(engine.run(turnFor(behaviour, turn), { signal: until }), onEvent);
}

export async function collect(events: AsyncIterable<AgentEvent>, onEvent?: (event: AgentEvent) => unknown): Promise<readonly AgentEvent[]> {
  const all: AgentEvent[] = [];
  for await (const event of events) {
    all.push(event);
    onEvent?.(event);
  }
  return all;
}

export async function failureOf(work: Promise<unknown>): Promise<IasError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof IasError) return error;
    throw error;
  }
  throw new Error("It did not fail.");
}

export function textsOf(events: readonly AgentEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "text" ? [event.text] : []));
}

export function label(event: AgentEvent): string {
  if (event.kind === "usage") return "usage event";
  if (event.kind !== "liveness") return event.kind;
  const { signal: told } = event;
  if (told.kind === "usage") return `usage-${told.outputTokens}`;
  return told.kind === "retry-wait" ? `retry-wait-${told.forMs}` : told.kind;
}
