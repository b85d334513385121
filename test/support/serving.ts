import type { TestContext } from "node:test";
import type { Agent, AgentOptions } from "../../src/lib/engine/agent.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import type { AgentEvent, Engine, Turn } from "../../src/lib/engine/engine.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { Store } from "../../src/lib/log/store.ts";
import { type Server, type ServerOptions, startServer } from "../../src/lib/main/server.ts";
import type { Message, StreamResponse, Task } from "../../src/lib/model/a2a.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { messageOf } from "./messages.ts";

/** A server of agents on a memory store, stopped when the test ends. */
export async function serving(t: TestContext, agents: readonly Agent[], options: Partial<ServerOptions> & { readonly store?: Store } = {}): Promise<Server> {
  const server = await startServer({ store: options.store ?? createMemoryStore({}), port: 0, grpcPort: false, report: () => {}, ...options, agents });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

/** An agent whose turns are the given generator. */
export function agentOf(run: (turn: Turn, signal: AbortSignal) => AsyncIterable<AgentEvent>, options: Partial<AgentOptions> = {}): Agent {
  const engine: Engine = { run: (turn, { signal }) => run(turn, signal) };
  return defineAgent({ id: "agent", engine, ...options });
}

/** One frame of a stream as a client gets it. */
export interface Received {
  readonly cursor: string | undefined;
  readonly event: StreamResponse;
}

export interface RpcAnswer<Result> {
  readonly result?: Result;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: readonly Record<string, unknown>[] };
}

/** A raw A2A 1.0 JSON-RPC client of one agent, with nothing between the test and the wire. */
export function rpcClient(url: string, headers: Readonly<Record<string, string>> = {}) {
  const post = (method: string, params: unknown, more: Readonly<Record<string, string>> = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "a2a-version": "1.0", ...headers, ...more },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
      ...(signal !== undefined && { signal }),
    });
  const call = async <Result>(method: string, params: unknown, more?: Readonly<Record<string, string>>): Promise<RpcAnswer<Result>> =>
    (await (await post(method, params, more)).json()) as RpcAnswer<Result>;
  const must = async <Result>(method: string, params: unknown, more?: Readonly<Record<string, string>>): Promise<Result> => {
    const { result, error } = await call<Result>(method, params, more);
    if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
  return {
    call,
    must,
    send: (text: string, more: Partial<Message> = {}, configuration: object = {}) =>
      must<{ task: Task; message: Message }>("SendMessage", { message: messageOf(text, more), configuration }),
    get: (id: string) => must<Task>("GetTask", { id }),
    /** Frames as they arrive. The request fails with its error if it is not a stream. */
    async *frames(
      method: string,
      params: unknown,
      options: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal } = {},
    ): AsyncGenerator<Received> {
      const response = await post(method, params, options.headers, options.signal);
      if (response.headers.get("content-type") !== "text/event-stream" || response.body === null) throw new Error(`${method}: ${await response.text()}`);
      let text = "";
      for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        const blocks = text.split("\n\n");
        text = blocks.pop() ?? "";
        for (const block of blocks) {
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data === undefined) continue;
          const { result, error } = JSON.parse(data) as RpcAnswer<StreamResponse>;
          if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
          yield { cursor: /^id: (.*)$/m.exec(block)?.[1], event: result };
        }
      }
    },
    async all(method: string, params: unknown, options?: { readonly headers?: Readonly<Record<string, string>> }): Promise<Received[]> {
      return collect(this.frames(method, params, options));
    },
  };
}

/** All that an iterable still gives. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const one of source) all.push(one);
  return all;
}

/** Headers that activate our extension. */
export const EXTENDED = { "a2a-extensions": EXTENSION_URI };

/** The texts of artifact chunks, in order. */
export function textsOf(received: readonly Received[]): string[] {
  return received.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : []));
}

/** The states that a stream told, in order. */
export function statesOf(received: readonly Received[]): string[] {
  return received.flatMap(({ event }) => {
    const state = "task" in event ? event.task.status.state : "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
    return state === undefined ? [] : [state.replace("TASK_STATE_", "")];
  });
}

/** The text of a Task's artifacts, joined. */
export function textOf(task: Task): string {
  return (task.artifacts ?? []).flatMap((artifact) => artifact.parts.map((part) => part.text ?? "")).join("");
}
