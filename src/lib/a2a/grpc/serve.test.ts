import assert from "node:assert/strict";
import { once } from "node:events";
import { afterEach, describe, it } from "node:test";
import { StreamResponse as SdkStreamResponse } from "@a2a-js/sdk";
import { A2AService } from "@a2a-js/sdk/server/grpc";
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Client, type ClientReadableStream, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { defineAgent } from "../../engine/define-agent.ts";
import { scripted } from "../../engine/scripted.ts";
import { IasError } from "../../model/errors.ts";
import { DEFAULT_LIMITS, type Limits } from "../../model/limits.ts";
import type { Call, Frame, FrameStream, Operations } from "../operations.ts";
import { CODECS } from "./codec.ts";
import { createFrameEncoder } from "./frames.ts";
import { type GrpcServer, startGrpc } from "./serve.ts";

const AGENTS = new Map(["main", "other"].map((id) => [id, defineAgent({ id, engine: scripted([]) })]));

/** A server whose only stream is `frames`, and what its operations were called with. */
interface Bench extends AsyncDisposable {
  readonly server: GrpcServer;
  readonly client: Client;
  readonly calls: { readonly name: string; readonly call: Call; readonly params: unknown }[];
  subscribe(id: string): ClientReadableStream<SdkStreamResponse>;
  unary(name: keyof Operations, request: Buffer): Promise<unknown>;
}

async function startBench(frames: (call: Call) => FrameStream["frames"], limits: Partial<Limits> = {}): Promise<Bench> {
  const calls: Bench["calls"] = [];
  const key = { tenant: "", user: "u", agent: "main", task: "t" };
  const operations = new Proxy(Object.create(null) as Operations, {
    get: (_, name: string) => async (call: Call, params: unknown) => {
      calls.push({ name, call, params });
      if (name === "cancelTask") await once(call.signal, "abort");
      if (name === "subscribeToTask") return { key, opening: "fresh", audience: "public", frames: frames(call) } satisfies FrameStream;
      return { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } };
    },
  });
  const server = await startGrpc({
    operations,
    agents: AGENTS,
    defaultAgent: "main",
    logId: "log1",
    limits: { ...DEFAULT_LIMITS, ...limits },
    authenticate: async () => ({ tenant: "", user: "u" }),
    report: () => {},
    host: "127.0.0.1",
    port: 0,
  });
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure(), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  const metadata = new Metadata();
  metadata.set("a2a-version", "1.0");
  const asIs = (bytes: Buffer): Buffer => bytes;
  const { subscribeToTask } = A2AService;
  return {
    server,
    client,
    calls,
    subscribe: (id) =>
      client.makeServerStreamRequest(subscribeToTask.path, subscribeToTask.requestSerialize, subscribeToTask.responseDeserialize, { tenant: "", id }, metadata),
    unary: (name, request) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(CODECS[name].path, asIs, asIs, request, metadata, (error, answer) => (error === null ? resolve(answer) : reject(error)));
      }),
    async [Symbol.asyncDispose]() {
      client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function chunk(seq: number, size: number): Frame {
  return {
    seq,
    event: JSON.stringify({ artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts: [{ text: `${seq}`.padEnd(size, ".") }] } } }),
  };
}

const getTask = (tenant: string): Buffer => A2AService.getTask.requestSerialize({ id: "t", tenant });

describe("gRPC server", () => {
  let bench: Bench | undefined;
  afterEach(async () => {
    await bench?.[Symbol.asyncDispose]();
    bench = undefined;
  });

  it("translates a frame once for all of its readers, with its cursor", () => {
    const encode = createFrameEncoder("log1");
    const frame = chunk(7, 10);
    assert.equal(encode(frame), encode(frame));
    const event = SdkStreamResponse.toJSON(A2AService.subscribeToTask.responseDeserialize(encode(frame))) as {
      artifactUpdate: { metadata: Record<string, unknown> };
    };
    assert.deepEqual(Object.values(event.artifactUpdate.metadata), [{ cursor: "log1.7" }]);
  });

  it("asks for no more while a reader stalls, and loses nothing when it goes on", async () => {
    const total = 400;
    let pulled = 0;
    bench = await startBench(async function* () {
      for (let seq = 1; seq <= total; seq += 1) {
        pulled = seq;
        yield [chunk(seq, 64 * 1024)];
      }
    });
    const stream = bench.subscribe("t")[Symbol.asyncIterator]() as AsyncIterator<SdkStreamResponse>;
    const first = await stream.next();
    // The window of HTTP/2 and the 16 messages that grpc-js buffers at either side fill up; then the count stands still, however long one waits.
    let seen = -1;
    while (seen !== pulled) {
      seen = pulled;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    assert.ok(pulled < 200, `${pulled} of ${total} frames of 64 KiB were pulled for a reader that reads none`);
    const seqs: number[] = [];
    for (let next = first; next.done !== true; next = await stream.next()) {
      const { artifactUpdate } = SdkStreamResponse.toJSON(next.value) as { artifactUpdate: { artifact: { parts: { text: string }[] } } };
      seqs.push(Number.parseInt(artifactUpdate.artifact.parts[0]?.text ?? "", 10));
    }
    assert.deepEqual(
      seqs,
      Array.from({ length: total }, (_, at) => at + 1),
    );
  });

  it("aborts the call's signal when the client cancels", async () => {
    const aborted = Promise.withResolvers<void>();
    bench = await startBench(async function* (call) {
      yield [chunk(1, 10)];
      await once(call.signal, "abort");
      aborted.resolve();
    });
    const stream = bench.subscribe("t");
    stream.once("error", () => {});
    await once(stream, "data");
    stream.cancel();
    await aborted.promise;
  });

  it("ends streams with UNAVAILABLE when it drains, after what they have written, and refuses new calls", async () => {
    bench = await startBench(async function* (call) {
      yield [chunk(1, 10), chunk(2, 10)];
      await once(call.signal, "abort");
    });
    const { server, subscribe, unary } = bench;
    const stream = subscribe("t");
    const messages: SdkStreamResponse[] = [];
    stream.on("data", (message: SdkStreamResponse) => messages.push(message));
    await once(stream, "data");
    const ended = once(stream, "error");
    const waiting = assert.rejects(unary("cancelTask", A2AService.cancelTask.requestSerialize({ tenant: "", id: "t", metadata: {} })), { code: 14 });
    while (!bench.calls.some(({ name }) => name === "cancelTask")) await new Promise((resolve) => setImmediate(resolve));
    server.drain();
    await waiting;
    const [error] = (await ended) as [ServiceError];
    assert.equal(error.code, 14);
    assert.equal(messages.length, 2);
    await assert.rejects(unary("getTask", getTask("")), { code: 14 });
    const [refused] = (await once(subscribe("t"), "error")) as [ServiceError];
    assert.equal(refused.code, 14);
  });

  it("ends a stream that is too old with UNAVAILABLE", async () => {
    bench = await startBench(
      async function* (call) {
        yield [chunk(1, 10)];
        await once(call.signal, "abort");
      },
      { maxStreamMs: 50 },
    );
    const stream = bench.subscribe("t");
    stream.resume();
    const [error] = (await once(stream, "error")) as [ServiceError];
    assert.deepEqual([error.code, /maxStreamMs/.test(error.details)], [14, true]);
  });

  it("tells what a stream threw in its middle, without foreign words", async () => {
    bench = await startBench(async function* () {
      yield [chunk(1, 10)];
      throw new Error("secret");
    });
    const stream = bench.subscribe("t");
    stream.resume();
    const [error] = (await once(stream, "error")) as [ServiceError];
    assert.deepEqual([error.code, error.details], [13, "Internal error."]);
  });

  it("refuses bytes that are no request, too deep and too large ones, and goes on", async () => {
    bench = await startBench(() => [] as never, { maxBodyBytes: 100_000 });
    const { unary } = bench;
    await assert.rejects(unary("getTask", Buffer.from([0xff, 0xff, 0xff])), { code: 3 });
    await assert.rejects(unary("sendMessage", deep(100)), { code: 3, message: /nested deeper than 64/ });
    await assert.rejects(unary("sendMessage", deep(3000)), { code: 3 });
    await assert.rejects(unary("getTask", Buffer.alloc(200_000, 0x0a)), { code: 8 });
    for (let seed = 1; seed <= 300; seed += 1) await unary("sendMessage", noise(seed)).catch((error: unknown) => assert.equal((error as ServiceError).code, 3));
    assert.ok(await unary("getTask", getTask("")));
  });

  it("finds the agent by the tenant that its card names, and leaves the rest as tenant", async () => {
    bench = await startBench(() => [] as never);
    const { unary, calls } = bench;
    for (const tenant of ["", "acme", "other", "other/acme"]) await unary("getTask", getTask(tenant));
    assert.deepEqual(
      calls.map(({ call }) => [call.agent.id, call.principal.tenant]),
      [
        ["main", ""],
        ["main", "acme"],
        ["other", ""],
        ["other", "acme"],
      ],
    );
  });

  it("says which address it could not have", async () => {
    bench = await startBench(() => [] as never);
    const { port } = bench.server;
    const again = startGrpc({
      operations: Object.create(null) as Operations,
      agents: AGENTS,
      defaultAgent: "main",
      logId: "log1",
      limits: DEFAULT_LIMITS,
      authenticate: async () => ({ tenant: "", user: "u" }),
      report: () => {},
      host: "127.0.0.1",
      port,
    });
    await assert.rejects(again, (error) => error instanceof IasError && error.code === "configuration" && error.message.includes(String(port)));
  });
});

/** A SendMessageRequest whose metadata holds a struct in a struct, `levels` deep; made from the inside, as no encoder could. */
function deep(levels: number): Buffer {
  const nest = (number: number, inner: Uint8Array): Uint8Array =>
    new BinaryWriter()
      .uint32((number << 3) | 2)
      .bytes(inner)
      .finish();
  // Struct { fields: { "a": Value { struct_value } } }
  const key = nest(1, Buffer.from("a"));
  let struct: Uint8Array = new Uint8Array();
  for (let level = 0; level < levels; level += 1) struct = nest(1, Buffer.concat([key, nest(2, nest(5, struct))]));
  return Buffer.from(nest(4, struct));
}

/** Bytes that look random, the same for the same seed. */
function noise(seed: number): Buffer {
  let state = seed * 2_654_435_761;
  return Buffer.from(
    Array.from({ length: seed % 60 }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}
