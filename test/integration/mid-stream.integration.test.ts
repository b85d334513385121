import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { StreamResponse } from "@a2a-js/sdk";
import { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } from "@a2a-js/sdk/client";
import { GrpcTransportFactory } from "@a2a-js/sdk/client/grpc";
import { jsonRpcClient } from "../bindings/clients.ts";
import type { Wire } from "../bindings/wire.ts";
import { countText } from "../servers/proof-agents.ts";
import { textOfTask, textsOf } from "../support/cursor-reader.ts";
import { engine } from "../support/engines.ts";
import { messageOf } from "../support/messages.ts";
import { type ServerProcess, startServerProcess, temporaryFolder } from "../support/server-process.ts";

/** 200,000 chunks of 40 characters are 8 MB: what a Task has by then is twice what the clients take as one message (4 MiB). The last 5,000 come live. */
const SIZE = { n: 200_000, chars: 40, hold: 195_000 };

/** What a client had at the end. */
interface Got {
  readonly sha256: string;
  readonly events: number;
}

/** A client that has got its first event, and what it will have. */
interface Subscriber {
  readonly name: string;
  readonly open: Promise<void>;
  readonly got: Promise<Got>;
}

const JS = { JSONRPC: JsonRpcTransportFactory, "HTTP+JSON": RestTransportFactory, GRPC: GrpcTransportFactory } as const;

test("official clients that subscribe in the middle of 200,000 entries have the text of GetTask", { timeout: 580_000 }, async () => {
  const python1 = engine("python-a2a-1").python;
  const python03 = engine("python-a2a-0.3").python;
  await using folder = await temporaryFolder();
  await using server = await startServerProcess(folder.path);
  const raw = jsonRpcClient(`${server.url}/a2a/count`);
  const { task } = await raw.call("SendMessage", { message: messageOf(JSON.stringify(SIZE)), configuration: { returnImmediately: true } });
  await reached(server, task.id, SIZE.hold);

  const bindings = Object.keys(JS) as (keyof typeof JS)[];
  const subscribers = [
    ...bindings.map((binding) => javascript(server, binding, task.id)),
    ...bindings.map((binding) => python(python1, "subscribe_client_1.py", server, binding, task.id)),
    ...(["JSONRPC", "HTTP+JSON"] as const).map((binding) => python(python03, "subscribe_client_0_3.py", server, binding, task.id)),
  ];
  await Promise.all(subscribers.map(({ open, got }) => Promise.race([open, got])));
  server.tell("go");
  const text = countText(1, SIZE);
  const sha256 = createHash("sha256").update(text).digest("hex");
  for (const { name, got } of subscribers) {
    const { sha256: theirs, events } = await got;
    assert.equal(theirs, sha256, name);
    assert.ok(events > SIZE.n - SIZE.hold, `${name} got ${events} events`);
  }
  assert.ok((await fullText(raw, task.id)) === text);
});

/** Resolves when the task has so many chunks. */
async function reached(server: ServerProcess, task: string, count: number): Promise<void> {
  const raw = jsonRpcClient(`${server.url}/a2a/count`);
  for await (const { event } of raw.stream("SubscribeToTask", { id: task })) {
    const texts = event.task === undefined ? textsOf(event) : [textOfTask(event.task)];
    if (texts.some((text) => text.includes(`1:${count - 1} `))) return;
  }
}

function javascript(server: ServerProcess, binding: keyof typeof JS, task: string): Subscriber {
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const run = async (): Promise<Got> => {
    const client = await new ClientFactory({ transports: [new JS[binding]()] }).createFromUrl(server.url);
    const hash = createHash("sha256");
    let events = 0;
    for await (const message of client.resubscribeTask({ tenant: "", id: task })) {
      resolve();
      events += 1;
      const event = StreamResponse.toJSON(message) as Wire;
      hash.update(event.task === undefined ? textsOf(event).join("") : textOfTask(event.task));
    }
    return { sha256: hash.digest("hex"), events };
  };
  return { name: `@a2a-js/sdk, ${binding}`, open, got: run() };
}

function python(program: string, script: string, server: ServerProcess, binding: string, task: string): Subscriber {
  const { promise: open, resolve } = Promise.withResolvers<void>();
  const run = async (): Promise<Got> => {
    const file = fileURLToPath(new URL(`../servers/python/${script}`, import.meta.url));
    const child = spawn(program, [file, `${server.url}/a2a/count`, binding, task], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    let last = "";
    for await (const line of createInterface({ input: child.stdout })) {
      if (line === "open") resolve();
      last = line;
    }
    assert.deepEqual(await ended, [0, null]);
    const [sha256 = "", events] = last.split(" ");
    return { sha256, events: Number(events) };
  };
  return { name: `${script}, ${binding}`, open, got: run() };
}

/** The text of GetTask; what is too large for its answer is behind the URL of its part. */
async function fullText(client: ReturnType<typeof jsonRpcClient>, id: string): Promise<string> {
  const task = await client.call("GetTask", { id });
  let text = "";
  for (const part of task.artifacts[0].parts) text += part.text ?? (await (await fetch(part.url)).text());
  return text;
}
