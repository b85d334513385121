import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { answerBench } from "./control.ts";
import { chunks, readPlan } from "./load.ts";

/**
 * The floor: a bare `node:http` server that writes the frames of our A2A stream and keeps nothing. `WRITES=each`: one write an event;
 * `WRITES=tick`: the events of one stream in one turn of the event loop are one write.
 */
const eachWrite = process.env["WRITES"] !== "tick";
const logId = "floor0";

interface Reader {
  readonly response: ServerResponse;
  /** What stands before the event: the JSON-RPC envelope with this request's id. */
  readonly prefix: string;
  pending: string;
}

interface FloorTask {
  readonly id: string;
  readonly contextId: string;
  readonly readers: Set<Reader>;
  seq: number;
  task: object;
}

interface RpcRequest {
  readonly id: unknown;
  readonly method: string;
  readonly params: { readonly id?: string; readonly message?: { readonly parts: readonly { readonly text?: string }[] } };
}

const tasks = new Map<string, FloorTask>();

const server = createServer((request, response) => {
  void readText(request)
    .then((text) => answer(response, JSON.parse(text) as RpcRequest))
    .catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
});

async function answer(response: ServerResponse, { id, method, params }: RpcRequest): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache, no-transform", "x-accel-buffering": "no" });
  const reader = { response, prefix: `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, pending: "" };
  if (method === "SubscribeToTask") {
    const task = tasks.get(params.id ?? "");
    if (task === undefined) throw new Error("There is no such task.");
    put(reader, task.seq, JSON.stringify({ task: task.task }));
    task.readers.add(reader);
    response.once("close", () => task.readers.delete(reader));
    return;
  }
  const ids = { taskId: randomUUID(), contextId: randomUUID() };
  const status = (state: string): object => ({ state, timestamp: new Date().toISOString() });
  const task: FloorTask = {
    id: ids.taskId,
    contextId: ids.contextId,
    readers: new Set([reader]),
    seq: 0,
    task: { id: ids.taskId, contextId: ids.contextId, status: status("TASK_STATE_SUBMITTED"), history: [params.message] },
  };
  tasks.set(task.id, task);
  response.once("close", () => task.readers.delete(reader));
  emit(task, { task: task.task });
  emit(task, { statusUpdate: { ...ids, status: status("TASK_STATE_WORKING") } });
  let append = false;
  for await (const text of chunks(readPlan(params.message?.parts[0]?.text ?? ""))) {
    if (task.readers.size === 0) return;
    emit(task, { artifactUpdate: { ...ids, artifact: { artifactId: "a1", parts: [{ text }] }, append } });
    append = true;
    if (response.writableNeedDrain) await new Promise((resolve) => response.once("drain", resolve).once("close", resolve));
  }
  emit(task, { statusUpdate: { ...ids, status: status("TASK_STATE_COMPLETED") } });
  for (const reader of task.readers) {
    flush(reader);
    reader.response.end();
  }
  tasks.delete(task.id);
}

function emit(task: FloorTask, event: object): void {
  task.seq += 1;
  const text = JSON.stringify(event);
  for (const reader of task.readers) put(reader, task.seq, text);
}

function put(reader: Reader, seq: number, event: string): void {
  const frame = `id: ${logId}.${seq}\ndata: ${reader.prefix}${event}}\n\n`;
  if (eachWrite) {
    reader.response.write(frame);
    return;
  }
  if (reader.pending === "") setImmediate(flush, reader);
  reader.pending += frame;
}

function flush(reader: Reader): void {
  if (reader.pending === "") return;
  reader.response.write(reader.pending);
  reader.pending = "";
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return text;
}

answerBench();
server.listen(Number(process.env["PORT"] ?? 4100), "127.0.0.1", 1024, () => console.log("ready"));
