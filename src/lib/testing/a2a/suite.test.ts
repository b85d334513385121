import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../../model/a2a.ts";
import { sseData } from "./clients/sse.ts";
import { checkError, errors } from "./expect.ts";
import { a2aCases } from "./plan.ts";
import { parseShape } from "./shapes.ts";
import { canonical } from "./talk.ts";
import type { WireError } from "./wire-client.ts";

/** What the public compatibility kit for 1.0 checks against a server (its other names are constants of its own, TLS, or not automated). */
const PUBLIC_KIT = [
  "CARD-DISC-001 CARD-STRUCT-001 CARD-PROTO-001 CARD-PROTO-002 BIND-FIELD-001 CARD-CACHE-001 CARD-CACHE-002 CARD-CACHE-003 CARD-EXT-001 CARD-EXT-002",
  "CORE-SEND-001 CORE-SEND-002 CORE-SEND-003 CORE-STREAM-001 CORE-STREAM-002 CORE-STREAM-003 CORE-GET-001 CORE-GET-002",
  "CORE-LIST-001 CORE-LIST-002 CORE-LIST-003 CORE-LIST-004 CORE-LIST-005 CORE-CANCEL-001 CORE-CANCEL-002 CORE-CANCEL-003",
  "CORE-EXECUTION-MODE-001 CORE-EXECUTION-MODE-002 CORE-ERR-001 CORE-ERR-002 CORE-CAP-001 CORE-CAP-002 CORE-CAP-003 CORE-CAP-004",
  "CORE-MULTI-001 CORE-MULTI-001a CORE-MULTI-002 CORE-MULTI-002a CORE-MULTI-003 CORE-MULTI-004 CORE-MULTI-005 CORE-MULTI-006",
  "CORE-HIST-001 CORE-HIST-002 CORE-HIST-003 CORE-HIST-004 CORE-HIST-005 CORE-HIST-006",
  "DM-TASK-001 DM-TASK-002 DM-MSG-001 DM-MSG-002 DM-PART-001 DM-ART-001 DM-STATUS-001 DM-SERIAL-001 DM-SERIAL-002 DM-SERIAL-003 DM-SERIAL-004 DM-SERIAL-005",
  "STREAM-ORDER-001 STREAM-ORDER-002 STREAM-ORDER-003 STREAM-ORDER-004 STREAM-SUB-001 STREAM-SUB-002 STREAM-SUB-003 STREAM-SUB-004",
  "PUSH-CREATE-001 PUSH-CREATE-002 PUSH-GET-001 PUSH-GET-002 PUSH-LIST-001 PUSH-DEL-001 PUSH-DEL-002 PUSH-DELIVER-001 PUSH-DELIVER-002 PUSH-DELIVER-003",
  "VER-SERVER-002 VER-SERVER-003 JSONRPC-FMT-001 JSONRPC-FMT-002 JSONRPC-SVC-001 JSONRPC-SVC-002 JSONRPC-ERR-001 JSONRPC-ERR-002 JSONRPC-ERR-003",
  "JSONRPC-SSE-001 JSONRPC-SSE-002 HTTP_JSON-URL-001 HTTP_JSON-URL-002 HTTP_JSON-SVC-001 HTTP_JSON-SVC-002 HTTP_JSON-QP-001 HTTP_JSON-ERR-001",
  "HTTP_JSON-ERR-002 HTTP_JSON-STATUS-001 HTTP_JSON-SSE-001 GRPC-SVC-001 GRPC-SVC-002 GRPC-META-001 GRPC-ERR-001 GRPC-ERR-002 GRPC-ERR-003",
].flatMap((line) => line.split(" "));

test("the suite covers all that the public kit checks, and its ids are unique", () => {
  const covered = new Set(a2aCases.flatMap((item) => item.covers ?? []));
  assert.deepEqual(
    PUBLIC_KIT.filter((name) => !covered.has(name)),
    [],
  );
  const ids = a2aCases.map((item) => item.id);
  assert.equal(new Set(ids).size, ids.length);
});

test("event streams are read whatever their line ends and chunks", async () => {
  const text = ': hb\r\nid: 1\r\ndata: {"a":"é"}\r\n\r\nevent: x\ndata:{"b":\ndata: 2}\n\ndata: [3]\r\rdata: "lost"';
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size += 1) {
    const chunks: Uint8Array[] = [];
    for (let from = 0; from < bytes.length; from += size) chunks.push(bytes.slice(from, from + size));
    const seen: Json[] = [];
    for await (const data of sseData(ReadableStream.from(chunks))) seen.push(data);
    assert.deepEqual(seen, [{ a: "é" }, { b: 2 }, [3]], `chunks of ${size}`);
  }
});

test("the wire form is strict", () => {
  const task = { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING", timestamp: "2026-01-01T00:00:00.000Z" } };
  parseShape("Task", task);
  const wrong: [Json, RegExp][] = [
    [{ ...task, kind: "task" }, /kind/],
    [{ ...task, id: "" }, /id/],
    [{ ...task, artifacts: null }, /artifacts/],
    [{ ...task, status: { state: "working" } }, /status\.state/],
    [{ ...task, status: { state: 2 } }, /status\.state/],
    [{ ...task, status: { ...task.status, timestamp: "2026-01-01T00:00:00+01:00" } }, /timestamp/],
    [{ ...task, history: [{ messageId: "m", role: "ROLE_USER", parts: [] }] }, /history\.0\.parts/],
    [{ ...task, artifacts: [{ artifactId: "a", parts: [{ text: "x", url: "y" }] }] }, /exactly one/],
    [{ ...task, artifacts: [{ artifactId: "a", parts: [{ raw: "_-" }] }] }, /base64/],
  ];
  for (const [value, said] of wrong) assert.throws(() => parseShape("Task", value), said);
  assert.throws(() => parseShape("StreamResponse", { task, message: {} }), /Unrecognized key: "message"/);
  assert.throws(() => parseShape("StreamResponse", { statusUpdate: { taskId: "t", status: task.status } }), /statusUpdate\.contextId/);
});

test("an error must be right in code, status, details and message", () => {
  const info = { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "TASK_NOT_FOUND", domain: "a2a-protocol.org" };
  const right: WireError = { binding: "rest", code: 404, status: "NOT_FOUND", message: "no", details: [info], http: 404, received: "" };
  checkError(right, errors.taskNotFound);
  const wrong: Partial<WireError>[] = [
    { code: 400 },
    { http: 400 },
    { status: "" },
    { message: "" },
    { details: undefined },
    { details: [] },
    { details: [{ ...info, domain: "x" }] },
    { details: [{ ...info, reason: "X" }] },
    { details: [info, {}] },
  ];
  for (const change of wrong) assert.throws(() => checkError({ ...right, ...change }, errors.taskNotFound), { code: "ERR_ASSERTION" }, JSON.stringify(change));
  checkError({ ...right, binding: "jsonrpc", code: -32001 }, errors.taskNotFound);
  checkError({ ...right, binding: "grpc", code: 5 }, errors.taskNotFound);
});

test("canonical forms differ only where content differs", () => {
  assert.deepEqual(canonical({ b: 1, a: { c: "", d: [] } }), canonical({ b: 1 }));
  assert.notDeepEqual(canonical({ a: [1, 2] }), canonical({ a: [2, 1] }));
  assert.notDeepEqual(canonical({ a: 0 }), canonical({}));
});
