import { AsyncLocalStorage } from "node:async_hooks";
import { reasoningDelta } from "./deltas.ts";
import { fields, type SdkAgent, type SdkModel, type SdkModelProvider, type SdkStreamEvent, type SdkToolStreamEvent } from "./sdk.ts";

/**
 * The SDK reads a model's stream as fast as it comes, into a queue without a limit, and has no hook that could slow it. So the engine
 * waits inside the model: between two events of its stream, until the turn's consumer has taken what the first one made.
 * Which turn a model works for is told by the asynchronous context; outside of a turn a gated model is as it was.
 */
export interface TurnScope {
  /** Resolves when the turn's consumer asks for more. */
  readonly hungry: () => Promise<void>;
  /** Takes an event of a child's run, from `agent.asTool()`. */
  readonly onChild: (event: SdkToolStreamEvent) => void;
}

/** The turn that the present code works for. A context, not state: it holds nothing by itself. */
export const turnScope = new AsyncLocalStorage<TurnScope>();

const gated = new WeakSet<object>();

/** Makes `model` wait for the consumer of the turn that it works for. Once per object; in place, because `asTool()` closes over the child agent. */
function gateModel<M extends SdkModel>(model: M): M {
  if (gated.has(model)) return model;
  const original = model.getStreamedResponse;
  const value = function (this: unknown, request: never): AsyncIterable<SdkStreamEvent> {
    const scope = turnScope.getStore();
    const stream = original.call(this === undefined ? model : (this as SdkModel), request);
    return scope === undefined ? stream : pass(stream, scope);
  };
  // A frozen model cannot be gated: it streams as the SDK has it, ahead of the consumer.
  if (Reflect.defineProperty(model, "getStreamedResponse", { value, configurable: true, writable: true })) gated.add(model);
  return model;
}

/** A provider whose models are gated. */
export function gateProvider(provider: SdkModelProvider): SdkModelProvider {
  return { getModel: async (name) => gateModel(await provider.getModel(name)) };
}

/** Gates every model object that `root` and the agents it can hand off to have, and listens to agents that are tools. Cheap to repeat. */
export function adoptGraph(root: SdkAgent, children: readonly SdkAgent[] = []): void {
  const seen = new Set<SdkAgent>();
  const queue = [root, ...children];
  for (let agent = queue.pop(); agent !== undefined; agent = queue.pop()) {
    if (seen.has(agent)) continue;
    seen.add(agent);
    adoptAgent(agent);
    for (const handoff of agent.handoffs) {
      const target = isAgent(handoff) ? handoff : fields(handoff)["agent"];
      if (isAgent(target)) queue.push(target);
    }
  }
}

/** Gates the model of one agent and listens to its tools that are agents. */
export function adoptAgent(agent: SdkAgent): void {
  if (typeof agent.model === "object" && agent.model !== null) gateModel(agent.model);
  for (const tool of agent.tools) {
    if (typeof tool.on !== "function" || gated.has(tool)) continue;
    gated.add(tool);
    tool.on("*", (event) => turnScope.getStore()?.onChild(event));
  }
}

async function* pass(stream: AsyncIterable<SdkStreamEvent>, scope: TurnScope): AsyncGenerator<SdkStreamEvent, void, undefined> {
  for await (const event of stream) {
    yield event;
    if (speaks(event)) await scope.hungry();
  }
}

/** Whether the engine makes something of `event`; for the others there is nothing to wait for. */
function speaks(event: SdkStreamEvent): boolean {
  return event.type === "output_text_delta" || event.type === "response_done" || (event.type === "model" && reasoningDelta(event.event) !== "");
}

function isAgent(value: unknown): value is SdkAgent {
  const { name, tools, handoffs } = fields(value);
  return typeof name === "string" && Array.isArray(tools) && Array.isArray(handoffs);
}
