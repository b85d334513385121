import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { quote, toCurl } from "./curl.ts";

const words = (command: string): string[] =>
  execFileSync("sh", ["-c", `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${command}`], { env: { TOKEN: "of-the-shell" } })
    .toString()
    .split("\0")
    .slice(0, -1);

test("a shell gives back exactly what was quoted, whatever it is", () => {
  const texts = fc.array(
    fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => !text.includes("\0")),
    { minLength: 1, maxLength: 30 },
  );
  fc.assert(
    fc.property(texts, (list) => assert.deepEqual(words(`curl ${list.map(quote).join(" ")}`), list)),
    { numRuns: 20 },
  );
  assert.deepEqual(words(`curl ${quote("$(touch x) `id` ${HOME} ' \" \\ \n *")}`), ["$(touch x) `id` ${HOME} ' \" \\ \n *"]);
});

test("the entries of a task after a cursor", () => {
  const command = toCurl({ kind: "entries", origin: "http://127.0.0.1:4000", agent: "team", task: "t/1", after: "log.7", needsToken: false });
  assert.deepEqual(words(command), ["-N", "http://127.0.0.1:4000/api/tasks/t%2F1/events?agent=team&after=log.7", "-H", "Accept: text/event-stream"]);
});

test("a token is the shell's, never the page's", () => {
  const command = toCurl({ kind: "subscribe", origin: "http://127.0.0.1:4000", agent: "team", task: "t", after: "log.7", needsToken: true });
  assert.ok(command.includes("$TOKEN"));
  assert.ok(words(command).includes("Authorization: Bearer of-the-shell"));
  assert.ok(words(command).includes("Last-Event-ID: log.7"));
  const body = JSON.parse(words(command).at(-1) ?? "") as { method: string; params: object };
  assert.deepEqual([body.method, body.params], ["SubscribeToTask", { id: "t" }]);
});

test("a message is sent anew, with an id of its own", () => {
  const message = { messageId: "old", role: "ROLE_USER", parts: [{ text: "it's 5 o'clock" }] } as const;
  const body = JSON.parse(words(toCurl({ kind: "send", origin: "http://127.0.0.1:1", agent: "a b", message, needsToken: false })).at(-1) ?? "") as {
    params: { message: { messageId: string; parts: unknown } };
  };
  assert.notEqual(body.params.message.messageId, "old");
  assert.deepEqual(body.params.message.parts, message.parts);
});
