import assert from "node:assert/strict";
import { test } from "node:test";
import { agentOf, serving } from "../support/serving.ts";
import { openPageSocket } from "../support/page-socket.ts";
import type { SocketRequest } from "../../src/lib/model/api.ts";
import { read } from "../support/tree.ts";

type Json = Record<string, unknown>;

/** What of `said` the page shows: the same members, and `…` wherever the page has it; a member that the page leaves open is remembered for what follows. */
function shown(page: unknown, said: unknown): unknown {
  if (page === "…") return "…";
  if (typeof page !== "object" || page === null || typeof said !== "object" || said === null) return said;
  return Object.fromEntries(Object.entries(said as Json).map(([name, value]) => [name, shown((page as Json)[name], value)]));
}

test("docs/websocket.md: its example happens as it is written", { timeout: 60_000 }, async (t) => {
  const lines = /```json conversation\n([^]*?)```/.exec(read("docs/websocket.md"))?.[1]?.trim().split("\n") ?? [];
  assert.ok(lines.length > 8);
  const agent = agentOf(
    async function* (turn) {
      yield { kind: "text", text: turn.input[0]?.parts[0]?.text ?? "" };
    },
    { id: "echo" },
  );
  const server = await serving(t, [agent]);
  await using page = await openPageSocket(server.url);
  let task = "";
  let over = false;
  for (const line of lines) {
    const written = JSON.parse(line.slice(2)) as Json;
    if (line.startsWith("→")) {
      page.say({ ...written, ...(written["task"] === "…" && { task }) } as unknown as SocketRequest);
      continue;
    }
    // Entries come in as many messages as it takes; the page shows one.
    let said: unknown = over ? undefined : (await page.events.next()).value;
    while (written["op"] === "end" && (said as Json | undefined)?.["op"] === "entries") said = (await page.events.next()).value;
    over = said === undefined;
    if (written["op"] === "reply") ({ task } = (said as { readonly result: { readonly task: string } }).result);
    assert.deepEqual(shown(written, said), written, line);
  }
});

test("docs/websocket.md names every op", () => {
  const text = read("docs/websocket.md");
  const types = read("src/lib/model/api.ts");
  const ops = [...types.matchAll(/readonly op: "([a-z-]+)"/g)].map(([, op = ""]) => op);
  assert.ok(ops.length >= 15);
  assert.deepEqual(
    ops.filter((op) => !text.includes(`| \`${op}\` |`)),
    [],
  );
});
