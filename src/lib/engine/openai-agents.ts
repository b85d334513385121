import type { RunConfig } from "@openai/agents";
import type { ResumeState } from "../log/log.ts";
import type { Json, JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { decisionOn, question, readDecisions, toApproval } from "./openai-agents/approvals.ts";
import { toFailure } from "./openai-agents/errors.ts";
import { createFeed, type Feed } from "./openai-agents/feed.ts";
import { adoptAgent, adoptGraph, gateProvider, turnScope } from "./openai-agents/gate.ts";
import { toInput } from "./openai-agents/input.ts";
import { createMcpConnections, type McpServer } from "./openai-agents/mcp.ts";
import { loadSdk, type Sdk, type SdkAgent, type SdkModel, type SdkModelProvider, type SdkRunEvent, type SdkToolStreamEvent } from "./openai-agents/sdk.ts";
import { answer, createTranslator, emitResult, handoffNamesOf, type Translator, type TurnFacts } from "./openai-agents/translate.ts";
import { untilAborted } from "./until-aborted.ts";

export type { McpServer } from "./openai-agents/mcp.ts";

export interface OpenAIAgentsOptions {
  /** For agents that name no model: a model, or the name of one. */
  readonly model?: string | SdkModel;
  /** Turns model names into models. Default: the SDK's (OpenAI, with `OPENAI_API_KEY`). */
  readonly modelProvider?: SdkModelProvider;
  /** Model calls per turn, default the SDK's (10); `null` for no limit. */
  readonly maxTurns?: number | null;
  /** Tools that may run twice without harm: a turn that a crash cut off restarts by itself if it called only these (SEMANTICS 19). */
  readonly idempotentTools?: readonly string[];
  /** What tools, instructions and guardrails get as the run's `context`. Default: a `RunFacts`. It is kept, as JSON, while an approval waits. */
  readonly context?: (turn: Turn) => unknown;
  /** MCP servers for the agent, which the engine connects before the first turn and closes with itself. `agent.mcpServers` stay yours: connect them yourself. */
  readonly mcp?: readonly McpServer[];
  /** Agents that are used as tools and have a model object which no other agent of the team has. Those not named here are met at their first event, one response too late to slow it. */
  readonly children?: readonly SdkAgent[];
  /** The SDK's tracing, which sends runs to OpenAI. Default "off". */
  readonly tracing?: "off" | "on";
  /** Anything else of the SDK's `RunConfig`: guardrails and model settings for all agents, input filters, error texts. */
  readonly runConfig?: Partial<Omit<RunConfig, "model" | "modelProvider" | "tracingDisabled">>;
}

/** The run's `context` by default: who asks, and the task. `task`, `epoch` and the call id together name a tool call for ever. */
export interface RunFacts {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  readonly attempt: number;
  readonly epoch: number;
  readonly metadata: JsonObject;
}

const STATE_VERSION = "openai-agents/1";

/**
 * An `Agent` of the OpenAI Agents SDK (`@openai/agents`, an optional peer) as an engine. One chunk of the model is one event, in its order,
 * and the model's stream is read only as fast as events are asked for. Hand-offs, agents as tools, approvals, guardrails, structured
 * output, MCP servers and files work as the SDK has them; `docs/decisions/` says how each becomes events.
 *
 * The agent is adopted as it is; its model objects are made to wait for the consumer, in place (`openai-agents/gate.ts`).
 * Dispose of the engine to close the MCP servers of `mcp`.
 */
export function openaiAgents(agent: SdkAgent, options: OpenAIAgentsOptions = {}): Engine & AsyncDisposable {
  const mcp = createMcpConnections(options.mcp ?? []);
  return {
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
      const feed = createFeed(signal);
      void drive({ sdk, agent, turn, options, feed, signal, input: start.input });
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

/** What the SDK runs, and the events that come before; or, when nothing was decided about the waiting calls, the question again. */
type Start = { readonly input: unknown; readonly first: readonly AgentEvent[] } | { readonly ask: readonly AgentEvent[] };

async function prepare(sdk: Sdk, agent: SdkAgent, turn: Turn, options: OpenAIAgentsOptions): Promise<Start> {
  if (turn.state === undefined) return { input: await toInput(turn), first: [] };
  const state = await restore(sdk, agent, turn, turn.state, options);
  const decisions = readDecisions(turn.input);
  const waiting = state.getInterruptions().map((interruption) => ({ interruption, approval: toApproval(interruption) }));
  const decided = waiting.flatMap((one) => {
    const decision = decisionOn(decisions, one.approval.call);
    return decision === undefined ? [] : [{ ...one, decision }];
  });
  if (decided.length === 0 && waiting.length > 0) {
    const approvals = waiting.map(({ approval }) => approval);
    return { ask: [{ kind: "interrupt", reason: "input", message: [{ text: question(approvals, true) }], approvals, state: turn.state }] };
  }
  const first: AgentEvent[] = [];
  for (const { interruption, approval, decision } of decided) {
    if (decision.approve) {
      state.approve(interruption);
      const idempotent = options.idempotentTools?.includes(approval.name) === true;
      first.push({ kind: "tool-call", ...approval, ...(idempotent && { idempotent }) });
    } else {
      state.reject(interruption, {
        message: decision.reason === undefined ? "The user rejected this call." : `The user rejected this call: ${decision.reason}`,
      });
    }
  }
  return { input: state, first };
}

async function restore(sdk: Sdk, agent: SdkAgent, turn: Turn, saved: ResumeState, options: OpenAIAgentsOptions) {
  if (saved.version !== STATE_VERSION) {
    throw new IasError("corrupt", `The task's state has the form "${saved.version}"; this engine reads "${STATE_VERSION}". Was the agent's engine exchanged?`);
  }
  try {
    const context = new sdk.RunContext(contextOf(turn, options));
    return await sdk.RunState.fromStringWithContext(agent as never, saved.data, context, { contextStrategy: "merge" });
  } catch (error) {
    throw new IasError("corrupt", "The Agents SDK cannot read the task's state: the agent's team or the SDK's version has changed since it was kept.", {
      cause: error,
    });
  }
}

interface Drive {
  readonly sdk: Sdk;
  readonly agent: SdkAgent;
  readonly turn: Turn;
  readonly options: OpenAIAgentsOptions;
  readonly feed: Feed;
  readonly signal: AbortSignal;
  readonly input: unknown;
}

/** Runs the agent into the feed. Never rejects: what fails ends the feed. */
async function drive({ sdk, agent, turn, options, feed, signal, input }: Drive): Promise<void> {
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
      const runner = createRunner(sdk, options);
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
    const state: ResumeState = { version: STATE_VERSION, data: result.state.toString() };
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

function createRunner(sdk: Sdk, options: OpenAIAgentsOptions) {
  const { model, modelProvider, tracing, runConfig } = options;
  const base = { ...runConfig, tracingDisabled: tracing !== "on", ...(model !== undefined && { model: model as never }) };
  const provider = modelProvider ?? new sdk.Runner(base).config.modelProvider;
  return new sdk.Runner({ ...base, modelProvider: gateProvider(provider) as never });
}

function contextOf(turn: Turn, options: OpenAIAgentsOptions): unknown {
  if (options.context !== undefined) return options.context(turn);
  const { principal, agent, task, context, attempt, epoch, metadata } = turn;
  const facts: RunFacts = { tenant: principal.tenant, user: principal.user, agent, task, context, attempt, epoch, metadata };
  return facts;
}

function text(value: object, key: string): string {
  const found = (value as Readonly<Record<string, unknown>>)[key];
  return typeof found === "string" ? found : "";
}
