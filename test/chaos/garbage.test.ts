import assert from "node:assert/strict";
import { connect as connectHttp2, constants } from "node:http2";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import { jsonRpcClient } from "../bindings/clients.ts";
import { messageOf } from "../support/messages.ts";
import { type ServerProcess, startServerProcess, temporaryFolder } from "../support/server-process.ts";
import { createRandom } from "../../src/lib/model/random.ts";

// What the bindings' own test of malformed requests does not send: bytes below HTTP's and gRPC's messages, against a server in a process of its own.

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const BODY = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "ListTasks", params: {} });
const HEAD = "host: 127.0.0.1\r\ncontent-type: application/json\r\na2a-version: 1.0\r\n";
/** A second request that must never be taken as one of its own. */
const SMUGGLED = `POST /a2a/count HTTP/1.1\r\n${HEAD}content-length: 2\r\n\r\n{}`;
const post = (headers: string, body: string): string => `POST /a2a/count HTTP/1.1\r\n${HEAD}${headers}\r\n${body}`;
const chunked = (body: string): string => post("transfer-encoding: chunked\r\n", body);

/** Requests on which two servers could disagree, each to be refused as a whole: one answer of 4xx, or a closed connection. */
const FORMS: Readonly<Record<string, string>> = {
  "length and chunks": post(`content-length: ${BODY.length}\r\ntransfer-encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
  "chunks and length": post("transfer-encoding: chunked\r\ncontent-length: 4\r\n", `0\r\n\r\n${SMUGGLED}`),
  "two lengths": post("content-length: 2\r\ncontent-length: 40\r\n", `{}${SMUGGLED}`),
  "a list of lengths": post("content-length: 2, 40\r\n", `{}${SMUGGLED}`),
  "a signed length": post("content-length: +2\r\n", `{}${SMUGGLED}`),
  "a negative length": post("content-length: -2\r\n", `{}${SMUGGLED}`),
  "a length beyond numbers": post(`content-length: ${"9".repeat(40)}\r\n`, "{}"),
  "a space before the colon": post("transfer-encoding : chunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  "a folded header": post("transfer-encoding:\r\n chunked\r\n\tx\r\n", `0\r\n\r\n${SMUGGLED}`),
  "an unknown coding": post("transfer-encoding: xchunked\r\n", `0\r\n\r\n${SMUGGLED}`),
  "chunked, then another coding": post("transfer-encoding: chunked, identity\r\n", `0\r\n\r\n${SMUGGLED}`),
  "a chunk size that is none": chunked(`zz\r\n{}\r\n0\r\n\r\n`),
  "a chunk size beyond numbers": chunked(`${"f".repeat(40)}\r\n{}\r\n0\r\n\r\n`),
  "a negative chunk size": chunked("-2\r\n{}\r\n0\r\n\r\n"),
  "a chunk longer than its size": chunked(`2\r\n{}xx\r\n0\r\n\r\n`),
  "bare line feeds": `POST /a2a/count HTTP/1.1\nhost: 127.0.0.1\ncontent-length: 0\ncontent-length: 2\n\n{}`,
  "a NUL in a header": post("x: a\u0000b\r\n", ""),
  "a name that is no name": post("x(y): 1\r\n", ""),
  "no Host": `GET / HTTP/1.1\r\n\r\n`,
  "two Hosts": `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nhost: evil.test\r\n\r\n`,
  "a foreign Host behind a good one, at an agent": post("host: evil.test\r\ncontent-length: 2\r\n", "{}"),
  "an absolute target of another host": `GET http://evil.test/ HTTP/1.1\r\nhost: evil.test\r\n\r\n`,
  "an unknown protocol": `GET / HTTP/9.9\r\nhost: 127.0.0.1\r\n\r\n`,
  "an unknown method": `SMUGGLE / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`,
  "headers of 100 KB": `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nx: ${"x".repeat(100_000)}\r\n\r\n`,
  "3,000 headers": `GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n${"x: 1\r\n".repeat(3000)}\r\n`,
  "HTTP/2's preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\u0000\u0004\u0000",
  "a TLS hello": "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
};

describe(`bytes below messages (SEED=${SEED})`, () => {
  let server: ServerProcess;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  before(async () => {
    folder = await temporaryFolder();
    server = await startServerProcess(folder.path);
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  for (const [name, bytes] of Object.entries(FORMS)) {
    test(`HTTP with ${name} gets one refusal`, { timeout: 60_000 }, async () => {
      const answer = await exchange(server.port, Buffer.from(bytes, "latin1"));
      const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));
      assert.ok(statuses.length <= 1 && statuses.every((status) => status >= 400 && status < 500), `${statuses.join(", ")}: ${answer.slice(0, 300)}`);
    });
  }

  test("500 times random bytes on both ports are answered or closed", { timeout: 120_000 }, async () => {
    const random = createRandom(SEED);
    for (let number = 0; number < 500; number += 1) {
      const bytes = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256)));
      await exchange(
        random() < 0.5 ? server.port : server.grpcPort,
        random() < 0.3 ? Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), bytes]) : bytes,
      );
    }
  });

  test("gRPC frames that are none get a status, and never INTERNAL or UNKNOWN", { timeout: 120_000 }, async () => {
    const random = createRandom(SEED);
    const session = connectHttp2(`http://127.0.0.1:${server.grpcPort}`);
    session.on("error", () => {});
    const frames: readonly Buffer[] = [
      Buffer.from([0, 0, 0, 0, 9, 1]),
      Buffer.from([0, 255, 255, 255, 255]),
      Buffer.from([1, 0, 0, 0, 2, 1, 2]),
      Buffer.from([7, 0, 0, 0, 0]),
      Buffer.alloc(0),
      Buffer.from([0, 0, 0, 0, 3, 255, 255, 255]),
    ];
    for (let number = 0; number < 300; number += 1) {
      const at = Math.floor(random() * (frames.length + 1));
      const noise = Buffer.from(Array.from({ length: 20 }, () => Math.floor(random() * 256)));
      const status = await grpcStatus(session, frames[at] ?? Buffer.concat([Buffer.from([0, 0, 0, 0, 20]), noise]));
      assert.ok(status !== undefined && !["2", "13"].includes(status), `frame ${at} (${noise.toString("hex")}): status ${status}`);
    }
    session.close();
  });

  test("the server is whole afterwards", async () => {
    const { task } = await jsonRpcClient(`${server.url}/a2a/count`).call("SendMessage", { message: messageOf('{"n":3}') });
    assert.equal(task.status.state, "TASK_STATE_COMPLETED");
  });
});

/** Sends bytes, ends, and gives all that comes until the connection closes. */
async function exchange(port: number, bytes: Buffer): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  let answer = "";
  socket.setEncoding("latin1").on("data", (text: string) => (answer += text));
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.end(bytes);
  await closed;
  return answer;
}

async function grpcStatus(session: ReturnType<typeof connectHttp2>, body: Buffer): Promise<string | undefined> {
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: "POST",
    [constants.HTTP2_HEADER_PATH]: "/lf.a2a.v1.A2AService/GetTask",
    "content-type": "application/grpc",
    te: "trailers",
    "a2a-version": "1.0",
  });
  let status: string | undefined;
  const note = (headers: Readonly<Record<string, string | string[] | undefined>>): void => {
    if (headers["grpc-status"] !== undefined) status = String(headers["grpc-status"]);
  };
  stream
    .on("response", note)
    .on("trailers", note)
    .on("error", () => {});
  stream.resume();
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.end(body);
  await closed;
  return status;
}
