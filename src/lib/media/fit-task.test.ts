import assert from "node:assert/strict";
import test from "node:test";
import type { Message, Part, Task } from "../model/a2a.ts";
import { findContent, fitTask } from "./fit-task.ts";
import type { ContentPlace } from "./signed-urls.ts";

const asked: { place: ContentPlace; size: number; mediaType?: string }[] = [];
const toUrl: Parameters<typeof fitTask>[2] = (place, size, shown) => {
  asked.push({ place, size, ...shown });
  return `https://x/${place.in}/${place.id}/${place.part ?? `0-${place.upTo}`}`;
};

function task(parts: readonly Part[], history: readonly Message[] = []): Task {
  return { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" }, artifacts: [{ artifactId: "a", parts }], history };
}

function message(n: number, text: string): Message {
  return { messageId: `m${n}`, role: "ROLE_USER", parts: [{ text }] };
}

test("a task that fits is the same task", () => {
  const small = task([{ text: "x" }]);
  assert.equal(fitTask(small, 1000, toUrl), small);
});

test("the largest contents become URLs, the rest stays", () => {
  asked.length = 0;
  const big = task([
    { text: "é".repeat(20_000), metadata: { k: 1 } },
    { raw: Buffer.alloc(9000).toString("base64"), mediaType: "image/png", filename: "p.png" },
    { text: "small" },
  ]);
  const fitted = fitTask(big, 20_000, toUrl);
  assert.deepEqual(fitted.artifacts?.[0]?.parts[0], { url: "https://x/artifact/a/0", mediaType: "text/plain", metadata: { k: 1 } });
  assert.equal(fitted.artifacts?.[0]?.parts[1]?.mediaType, "image/png");
  assert.ok(fitted.artifacts?.[0]?.parts[1]?.raw !== undefined, "the second part had room");
  assert.deepEqual(asked, [{ place: { in: "artifact", id: "a", part: 0 }, size: 40_000, mediaType: "text/plain" }]);
  assert.equal(findContent(big, { in: "artifact", id: "a", part: 0 }, 40_000)?.bytes.byteLength, 40_000);
});

test("many small parts become one URL of their JSON", () => {
  const parts = Array.from({ length: 500 }, (_, n) => ({ data: { n } }));
  const big = task(parts);
  asked.length = 0;
  const fitted = fitTask(big, 3000, toUrl);
  assert.deepEqual(fitted.artifacts?.[0], { artifactId: "a", parts: [{ url: "https://x/artifact/a/0-500", mediaType: "application/json" }] });
  assert.deepEqual(
    JSON.parse(Buffer.from(findContent(big, asked[0]?.place ?? { in: "artifact", id: "" }, asked[0]?.size ?? 0)?.bytes ?? "").toString()),
    parts,
  );
});

test("the oldest history goes last of all", () => {
  const big = task(
    [{ text: "x" }],
    Array.from({ length: 100 }, (_, n) => message(n, "y".repeat(100))),
  );
  const fitted = fitTask(big, 3000, toUrl);
  assert.ok(Buffer.byteLength(JSON.stringify(fitted)) <= 3000);
  assert.equal(fitted.history?.at(-1)?.messageId, "m99");
  assert.ok((fitted.history?.length ?? 0) > 10);
});

test("a status message and history are contents too", () => {
  const big: Task = { ...task([], [message(1, "z".repeat(5000))]), status: { state: "TASK_STATE_INPUT_REQUIRED", message: message(2, "w".repeat(5000)) } };
  const fitted = fitTask(big, 3000, toUrl);
  assert.equal(fitted.status.message?.parts[0]?.url, "https://x/message/m2/0");
  assert.equal(fitted.history?.[0]?.parts[0]?.url, "https://x/message/m1/0");
  assert.equal(Buffer.from(findContent(big, { in: "message", id: "m2", part: 0 }, 5000)?.bytes ?? "").toString(), "w".repeat(5000));
});

test("a grown text gives its beginning; a replaced artifact, and a grown list of parts that ends otherwise, give nothing", () => {
  const at = { in: "artifact", id: "a", part: 0 } as const;
  assert.equal(Buffer.from(findContent(task([{ text: "abcdef" }]), at, 3)?.bytes ?? "").toString(), "abc");
  assert.equal(findContent(task([{ text: "ab" }]), at, 3), undefined);
  assert.equal(findContent(task([{ raw: "AAAAAAAA" }]), at, 3), undefined);
  const two = [{ data: 1 }, { data: 2 }];
  const size = JSON.stringify(two).length;
  assert.equal(findContent(task([...two, { data: 3 }]), { in: "artifact", id: "a", upTo: 2 }, size)?.bytes.byteLength, size);
  assert.equal(findContent(task([{ data: 1 }, { text: "2" }]), { in: "artifact", id: "a", upTo: 2 }, size), undefined);
});

test("of messages with the same id the one of that size is meant", () => {
  const twice = task([], [message(1, "first"), message(1, "second one")]);
  assert.equal(Buffer.from(findContent(twice, { in: "message", id: "m1", part: 0 }, 10)?.bytes ?? "").toString(), "second one");
});
