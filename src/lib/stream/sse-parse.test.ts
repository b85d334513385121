import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { IasError } from "../model/errors.ts";
import { createSseParser, type SseItem } from "./sse-parse.ts";

const parse = (text: string): SseItem[] => createSseParser().push(text);
const event = (data: string, id?: string, type = "message"): SseItem => ({ kind: "event", type, data, ...(id === undefined ? {} : { id }) });

test("the examples of the WHATWG text", () => {
  assert.deepEqual(parse("data: YHOO\ndata: +2\ndata: 10\n\n"), [event("YHOO\n+2\n10")]);
  assert.deepEqual(parse(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"), [
    { kind: "comment", text: " test stream" },
    event("first event", "1"),
    event("second event", ""),
    event(" third event", ""),
  ]);
  assert.deepEqual(parse("data\n\ndata\ndata\n\ndata:"), [event(""), event("\n")]);
  assert.deepEqual(parse("data:test\n\ndata: test\n\n"), [event("test"), event("test")]);
});

test("CR, LF and CRLF end lines, mixed", () => {
  assert.deepEqual(
    parse("data: a\r\rdata: b\n\ndata: c\r\n\r\ndata: d\r\n\ndata: e\n\r"),
    ["a", "b", "c", "d", "e"].map((data) => event(data)),
  );
});

test("an id stays until another comes, also over an event without data, and one with NUL is ignored", () => {
  const parser = createSseParser();
  assert.deepEqual(parser.push("id: 7\n\n"), []);
  assert.equal(parser.lastEventId, "7");
  assert.deepEqual(parser.push("data: x\nid: 8\0\n\n"), [event("x", "7")]);
  parser.push("id: 9\ndata: y\n");
  assert.equal(parser.lastEventId, "7", "an unfinished event does not move the cursor");
});

test("unknown fields and bad retry values are ignored, event types apply once", () => {
  assert.deepEqual(parse("foo: bar\nretry: 12a\nretry: -1\nretry: 1500\nevent: end\ndata: {}\n\ndata: z\n\nevent: lost\n\ndata: w\n\n"), [
    { kind: "retry", ms: 1500 },
    event("{}", undefined, "end"),
    event("z"),
    event("w"),
  ]);
});

test("one byte order mark is dropped, as bytes or text, and only at the start", () => {
  assert.deepEqual(createSseParser().push(new TextEncoder().encode("\uFEFFdata: a\n\n")), [event("a")]);
  assert.deepEqual(parse("\uFEFFdata: a\n\n"), [event("a")]);
  assert.deepEqual(parse("data: a\n\n\uFEFFdata: b\n\ndata: \uFEFF\n\n"), [event("a"), event("\uFEFF")]);
});

test("a cut stream gives no half event", () => {
  assert.deepEqual(parse("data: a\n\ndata: b\n"), [event("a")]);
});

test("a line or an event above its limit is an error with a name", () => {
  const reasonOf = (work: () => unknown): string | undefined => {
    try {
      work();
    } catch (error) {
      return error instanceof IasError ? `${error.code} ${error.reason}` : String(error);
    }
    return undefined;
  };
  const line = createSseParser({ maxLineLength: 10 });
  assert.deepEqual(line.push("data: 1234\n\n"), [event("1234")]);
  assert.equal(
    reasonOf(() => {
      for (let i = 0; i < 11; i += 1) line.push("x");
    }),
    "too-large SSE_LINE_TOO_LONG",
  );
  const lines = createSseParser({ maxEventLength: 10 });
  assert.equal(
    reasonOf(() => {
      for (let i = 0; i < 6; i += 1) lines.push("data: 1\n");
    }),
    "too-large SSE_EVENT_TOO_LARGE",
  );
});

const lineOf = fc.oneof(
  fc.constantFrom("", "data", "id: 5", "id", ":hb", "event: end", "retry: 3", "data: \u00e4\u{1F600}\u4e2d", "\uFEFF"),
  fc
    .tuple(
      fc.constantFrom("data:", "data: ", "id: ", ":", "x"),
      fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/[\r\n]/g, "_")),
    )
    .map((pair) => pair.join("")),
);
const stream = fc
  .array(
    fc.tuple(lineOf, fc.constantFrom("\n", "\r", "\r\n")).map((pair) => pair.join("")),
    { maxLength: 40 },
  )
  .map((lines) => lines.join(""));

test("any split of the bytes, and of the text, gives the same items", () => {
  fc.assert(
    fc.property(stream, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (text, sizes) => {
      const bytes = new TextEncoder().encode(text);
      const whole = createSseParser().push(bytes);
      for (const source of [bytes, text] as const) {
        const parser = createSseParser();
        const items: SseItem[] = [];
        for (let at = 0; at < source.length;) {
          const size = sizes.next().value;
          items.push(...parser.push(source.slice(at, at + size)));
          at += size;
        }
        assert.deepEqual(items, whole);
      }
    }),
    { numRuns: 1000 },
  );
});

test("a line of 4 MiB in pieces of 64 bytes is parsed in linear time", () => {
  const parser = createSseParser();
  parser.push("data: ");
  const piece = "x".repeat(64);
  const started = performance.now();
  for (let i = 0; i < 65_536; i += 1) parser.push(piece);
  const [item] = parser.push("\n\n");
  assert.equal(item?.kind === "event" ? item.data.length : 0, 4_194_304);
  assert.ok(performance.now() - started < 5000, "not hung");
});
