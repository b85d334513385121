import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { SocketRequest } from "../../src/lib/model/api.ts";
import { createStampReader } from "./stamps.ts";
import type { Stream, Tally } from "./stream.ts";

/** One connection to `/api/ws` that carries many streams, with the flow control of the browser client. */
export interface SocketLoad {
  /** Opens the stream of a task, from its first entry. */
  subscribe(task: string): Stream;
  /** Bytes that have come over the wire. */
  readonly bytesRead: number;
  close(): void;
}

const CREDIT = 256 * 1024;
/** A message's `op` and the number of its stream stand in its first bytes: it need not be parsed. */
const HEAD = /^\{"op":"(\w+)",(?:"sub":(\d+))?/;
const HEAD_BYTES = 60;

interface Subscription {
  onMessage(op: string, data: Buffer): void;
  onClose(error?: Error): void;
}

/** Connects. Rejects if the server does not take it. With `compressed`, messages are compressed as browsers ask for it. */
export async function openSocket(port: number, tally: Tally, { compressed = false } = {}): Promise<SocketLoad> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/api/ws`, ["ias.api.v1"], { perMessageDeflate: compressed });
  const hello = Promise.withResolvers<void>();
  let wire: Socket | undefined;
  let count = 0;
  const subscriptions = new Map<number, Subscription>();
  const say = (request: SocketRequest): void => socket.send(JSON.stringify(request));

  socket.on("upgrade", (response) => {
    wire = response.socket;
  });
  socket.on("error", hello.reject);
  socket.on("close", () => {
    for (const one of subscriptions.values()) one.onClose(new Error("The WebSocket was closed."));
  });
  socket.on("message", (data: Buffer) => {
    const [, op = "", number = ""] = HEAD.exec(data.toString("latin1", 0, HEAD_BYTES)) ?? [];
    if (op === "hello") hello.resolve();
    else subscriptions.get(Number(number))?.onMessage(op, data);
  });
  await hello.promise;

  function subscribe(task: string): Stream {
    const sub = (count += 1);
    const opened = Promise.withResolvers<string>();
    const ended = Promise.withResolvers<void>();
    for (const { promise } of [opened, ended]) promise.catch(() => undefined);
    let chunks = 0;
    let completed = false;
    let owed = 0;
    const stamps = createStampReader(tally, () => (chunks += 1));
    const subscription: Subscription = {
      onMessage(op, data) {
        if (op === "opened") opened.resolve("");
        else if (op === "error") subscription.onClose(new Error(String(data)));
        else if (op === "end") subscription.onClose();
        if (op !== "entries") return;
        stamps.read(data, data.length);
        if (data.subarray(-2000).includes("TASK_STATE_COMPLETED")) completed = true;
        owed += data.length;
        if (owed < CREDIT / 2) return;
        say({ op: "credit", sub, bytes: owed });
        owed = 0;
      },
      onClose(error) {
        subscriptions.delete(sub);
        opened.reject(error ?? new Error("The stream ended before it was opened."));
        if (error === undefined) ended.resolve();
        else ended.reject(error);
      },
    };
    subscriptions.set(sub, subscription);
    say({ op: "subscribe", sub, task, agent: "bench", credit: CREDIT });
    return {
      get chunks() {
        return chunks;
      },
      get completed() {
        return completed;
      },
      opened: opened.promise,
      ended: ended.promise,
      close() {
        if (!subscriptions.delete(sub)) return;
        if (socket.readyState === socket.OPEN) say({ op: "unsubscribe", sub });
        ended.resolve();
      },
    };
  }

  return {
    subscribe,
    get bytesRead() {
      return wire?.bytesRead ?? 0;
    },
    close: () => socket.terminate(),
  };
}
