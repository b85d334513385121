import { connect } from "node:net";
import type { Latencies } from "./latency.ts";
import { createStampReader } from "./stamps.ts";

/** What all streams of a measurement have counted. */
export interface Tally {
  /** Chunks that arrived. */
  chunks: number;
  readonly latencies: Latencies;
  /** Called where a stream has its `marks`. */
  onMark?: (stream: Stream) => void;
}

export type StreamRequest = {
  readonly port: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly tally: Tally;
  /** Counts of chunks, rising, at which `tally.onMark` is called. */
  readonly marks?: readonly number[];
} & Asked;

/** A call of A2A, or a path that is got. */
type Asked = { readonly method: "SendStreamingMessage" | "SubscribeToTask"; readonly params: object } | { readonly path: string };

/** One streaming request. */
export interface Stream {
  readonly chunks: number;
  /** The answer's head and first frames, once the first frame is there. Rejects for an answer that is no stream. */
  readonly opened: Promise<string>;
  /** Resolves when the server has ended the stream, or after `close`; rejects if it broke. */
  readonly ended: Promise<void>;
  /** The COMPLETED status came. */
  readonly completed: boolean;
  close(): void;
}

/** All streams read into the same place, one after the other. */
const shared = Buffer.allocUnsafe(1024 * 1024);
/** How an answer in the chunked coding ends; no event of ours does. */
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
/** How much of the answer's beginning is kept as text. */
const HEAD_BYTES = 4096;

/**
 * Opens a stream over a bare socket: a client that parses HTTP and JSON would be slower than the servers it measures. It counts the
 * stamps of chunks.
 */
export function openStream(asked: StreamRequest): Stream {
  const { port, headers, tally, marks = [] } = asked;
  const opened = Promise.withResolvers<string>();
  const ended = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  ended.promise.catch(() => {});
  let head = "";
  let isOpen = false;
  let count = 0;
  let completed = false;
  let closed = false;
  let nextMark = 0;

  const body = "path" in asked ? "" : JSON.stringify({ jsonrpc: "2.0", id: 1, method: asked.method, params: asked.params });
  const fields = {
    host: `127.0.0.1:${port}`,
    ...(body !== "" && { "content-type": "application/json" }),
    accept: "text/event-stream",
    "a2a-version": "1.0",
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  const first = "path" in asked ? `GET ${asked.path}` : "POST /a2a/bench";
  const request = `${first} HTTP/1.1\r\n${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

  const stamps = createStampReader(tally, () => {
    count += 1;
    if (count === marks[nextMark]) {
      nextMark += 1;
      tally.onMark?.(stream);
    }
  });
  const open = (length: number): void => {
    head += shared.toString("latin1", 0, Math.min(length, HEAD_BYTES));
    if (!head.includes("\ndata:")) return;
    isOpen = true;
    opened.resolve(head);
  };
  const read = (length: number): boolean => {
    if (!isOpen) open(length);
    stamps.read(shared, length);
    if (shared.subarray(Math.max(0, length - 2000), length).includes("TASK_STATE_COMPLETED")) completed = true;
    // Some servers keep the connection though they were asked to close it.
    if (length >= LAST_CHUNK.length && shared.compare(LAST_CHUNK, 0, LAST_CHUNK.length, length - LAST_CHUNK.length, length) === 0) socket.destroy();
    return true;
  };

  const socket = connect({ port, host: "127.0.0.1", noDelay: true, onread: { buffer: shared, callback: read } });
  socket.on("error", (error) => {
    opened.reject(error);
    if (!closed) ended.reject(error);
  });
  socket.on("close", () => {
    opened.reject(new Error(`The answer was no stream: ${head.slice(0, 1000)}`));
    ended.resolve();
  });
  socket.write(request);

  const stream: Stream = {
    get chunks() {
      return count;
    },
    get completed() {
      return completed;
    },
    opened: opened.promise,
    ended: ended.promise,
    close() {
      closed = true;
      socket.destroy();
    },
  };
  return stream;
}

/** Sends a plan to the load agent over the API. Returns its task. */
export async function sendOverApi(port: number, plan: { readonly n: number; readonly rate: number }): Promise<string> {
  const body = { messageId: crypto.randomUUID(), parts: [{ text: JSON.stringify(plan) }] };
  const headers = { "content-type": "application/json" };
  const response = await fetch(`http://127.0.0.1:${port}/api/agents/bench/messages`, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as { readonly task?: string };
  if (answer.task === undefined) throw new Error(`The API did not take a message: ${JSON.stringify(answer).slice(0, 1000)}`);
  return answer.task;
}

/** The parameters of a message to the load agent. */
export function loadMessage(n: number, rate: number): object {
  return { message: { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text: JSON.stringify({ n, rate }) }] } };
}
