import type { Json } from "../model/a2a.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { question, toApproval } from "./openai-agents/approvals.ts";
import { toFailure } from "./openai-agents/errors.ts";
import { createFeed, type Feed } from "./openai-agents/feed.ts";
import { adoptAgent, adoptGraph, gateProvider, turnScope } from "./openai-agents/gate.ts";
import { inputModesOf } from "./openai-agents/input.ts";
import { createMcpConnections } from "./openai-agents/mcp.ts";
import { contextOf, type OpenAIAgentsOptions } from "./openai-agents/options.ts";
import { createModelProvider } from "./openai-agents/provider.ts";
import { prepare, toState } from "./openai-agents/resume.ts";
import { loadSdk, type Sdk, type SdkAgent, type SdkModelProvider, type SdkRunEvent, type SdkToolStreamEvent } from "./openai-agents/sdk.ts";
import { answer, createTranslator, emitResult, handoffNamesOf, type Translator, type TurnFacts } from "./openai-agents/translate.ts";
import { untilAborted } from "./until-aborted.ts";

const MAX_EVENTS_AHEAD = 65_536;

/**
 * An `Agent` of the OpenAI Agents SDK (`@openai/agents`, an optional peer) as an engine. One chunk of the model is one event, in its order,
 * and the model's stream is read only as fast as events are asked for. Hand-offs, agents as tools, approvals, guardrails, structured
 * output, MCP servers and files work as the SDK has them; `docs/decisions/` says how each becomes events.
 *
 * The agent is adopted as it is; its model objects are made to wait for the consumer, in place (`openai-agents/gate.ts`).
 * It takes text, JSON, images and PDF, and audio where `endpoint` is spoken to with chat completions (the Responses API takes none).
 * Dispose of the engine to close the MCP servers of `mcp`.
 */
export function openaiAgents(agent: SdkAgent, options: OpenAIAgentsOptions = {}): Engine & AsyncDisposable {
  const mcp = createMcpConnections(options.mcp ?? []);
  let provider: SdkModelProvider | undefined;
  return {
    inputModes: inputModesOf(options.endpoint),
    run: (turn, { signal }) => untilAborted(runTurn(turn, signal), signal),
    [Symbol.asyncDispose]: () => mcp.close(),
  };

  async function* runTurn(turn: Turn, outer: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
    const left = new AbortController();
    const signal = AbortSignal.any([outer, left.signal]);
    try {
      const sdk = await loadSdk();
      adoptGraph(agent, options.children);
      await mcp.connect(sdk, agent);
      const start = await prepare(sdk, agent, turn, options);
      if ("ask" in start) return yield* start.ask;
      for (const event of start.first) yield event;
      const feed = createFeed(signal, { maxEventsAhead: options.maxEventsAhead ?? MAX_EVENTS_AHEAD });
      provider ??= gateProvider(options.modelProvider ?? providerOf(sdk, options));
      void drive({ provider, sdk, agent, turn, options, feed, signal, input: start.input });
      yield* feed.events();
    } catch (error) {
      if (outer.aborted) return;
      const failure = toFailure(error);
      if ("error" in failure) throw failure.error;
      yield failure.end;
    } finally {
      left.abort(); // closes the model's request when the consumer leaves
    }
  }
}

interface Drive {
  readonly provider: SdkModelProvider;
  readonly sdk: Sdk;
  readonly agent: SdkAgent;
  readonly turn: Turn;
  readonly options: OpenAIAgentsOptions;
  readonly feed: Feed;
  readonly signal: AbortSignal;
  readonly input: unknown;
}

/** Runs the agent into the feed. Never rejects: what fails ends the feed. */
async function drive({ provider, sdk, agent, turn, options, feed, signal, input }: Drive): Promise<void> {
  const facts = factsOf(sdk, turn, options, feed);
  /** Runs of children by the call that started each: the object, as an id is unique in one run only. */
  const children = new Map<object, Translator>();
  const onChild = ({ event, agent: child, toolCall }: SdkToolStreamEvent): void => {
    adoptAgent(child);
    let translator = children.get(toolCall ?? child);
    if (translator === undefined) {
      const parent = facts.callPaths.get(toolCall?.callId ?? "") ?? [];
      translator = createTranslator(child, facts, parent);
      children.set(toolCall ?? child, translator);
      feed.push({ kind: "delegation", from: parent.at(-1) ?? root?.agent().name ?? agent.name, to: child.name, via: "tool", path: [...parent, child.name] });
    }
    translator.on(event);
  };
  let root: Translator | undefined;
  try {
    await turnScope.run({ hungry: () => feed.hungry(), onChild }, async () => {
      const runner = createRunner(sdk, provider, options);
      runner.on("agent_tool_end", (_context, _agent, tool, output, { toolCall }) => emitResult(facts, text(toolCall, "callId"), tool.name, output));
      const result = await runner.run(agent as never, input as never, {
        stream: true,
        signal,
        context: contextOf(turn, options),
        ...(options.maxTurns !== undefined && { maxTurns: options.maxTurns }),
      });
      root = createTranslator(result.currentAgent ?? agent, facts);
      for await (const event of result as AsyncIterable<SdkRunEvent>) root.on(event);
      await result.completed;
      if (!signal.aborted) finish(result, root, facts);
    });
    feed.end();
  } catch (error) {
    if (signal.aborted) return feed.end();
    const failure = toFailure(error);
    if ("end" in failure) feed.push(failure.end);
    feed.end("error" in failure ? failure.error : undefined);
  }
}

/** How the turn ends: with a question, or with what the stream did not already say. */
function finish(
  result: { readonly interruptions?: readonly unknown[]; readonly finalOutput?: unknown; readonly state: { toString(): string } },
  root: Translator,
  facts: TurnFacts,
): void {
  const approvals = (result.interruptions ?? []).map(toApproval);
  if (approvals.length > 0) {
    const state = toState(result.state);
    facts.emit({ kind: "interrupt", reason: "input", message: [{ text: question(approvals, false) }], approvals, state });
    return;
  }
  const output = result.finalOutput;
  if (root.agent().outputType !== "text") {
    facts.emit({
      kind: "artifact",
      artifact: { artifactId: facts.dataArtifact, parts: [{ data: output as Json, mediaType: "application/json" }] },
      lastChunk: true,
    });
  } else if (!root.spoke() && typeof output === "string" && output !== "") {
    if (root.refusal() !== "" && root.refusal() === output) facts.emit({ kind: "end", outcome: "rejected", message: [{ text: output }] });
    else facts.emit(answer(facts, root.messages() + 1, output));
  }
}

function factsOf(sdk: Sdk, turn: Turn, options: OpenAIAgentsOptions, feed: Feed): TurnFacts {
  const idempotent = new Set(options.idempotentTools);
  const taken = new Set((turn.current.artifacts ?? []).map(({ artifactId }) => artifactId));
  // The task's artifacts of earlier turns keep their names: a piece for one of them would replace it.
  const free = (prefix: string, from: number): number => {
    let n = from;
    while (taken.has(`${prefix}-${n}`)) n += 1;
    return n;
  };
  const second = free("message", 2);
  return {
    emit: feed.push,
    callPaths: new Map(),
    answered: new Set(),
    model: typeof options.model === "string" ? options.model : "",
    isIdempotent: (tool) => idempotent.has(tool),
    handoffNames: (one) => handoffNamesOf(one, (handoff) => sdk.getHandoff(handoff as never).toolName),
    artifactOf: (n) => (n < 2 ? undefined : `message-${second + n - 2}`),
    dataArtifact: `output-${free("output", 1)}`,
  };
}

function createRunner(sdk: Sdk, modelProvider: SdkModelProvider, { model, tracing, runConfig }: OpenAIAgentsOptions) {
  return new sdk.Runner({
    ...runConfig,
    tracingDisabled: tracing !== "on",
    ...(model !== undefined && { model: model as never }),
    modelProvider: modelProvider as never,
  });
}

/** One provider for all turns, so that they share its connections. */
function providerOf(sdk: Sdk, { endpoint }: OpenAIAgentsOptions): SdkModelProvider {
  return endpoint === undefined ? new sdk.Runner().config.modelProvider : createModelProvider(sdk, endpoint);
}

function text(value: object, key: string): string {
  const found = (value as Readonly<Record<string, unknown>>)[key];
  return typeof found === "string" ? found : "";
}
