import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { agentOf, serving } from "../support/serving.ts";
import { read, root } from "../support/tree.ts";

const PORT = "http://127.0.0.1:4000";

test("the first example of the guide to liveness runs as it is written, against an agent on this machine", async (t) => {
  const [, example = ""] = /^```ts\n([^]*?)^```$/m.exec(read("docs/guides/liveness.md")) ?? [];
  assert.ok(example.includes(`"${PORT}"`), "it connects to the address of npm start");
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(turn.input.flatMap(({ parts }) => parts.map(({ text }) => text ?? "")).join(""));
    yield { kind: "text", text: "Hello too." };
  });
  const server = await serving(t, [agent]);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "docs-liveness-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "example.ts");
  writeFileSync(file, example.replace(PORT, server.url));
  await run(process.execPath, ["--conditions=@infinite-agent-streams/source", file], { cwd: folder });
  assert.deepEqual(heard, ["Hello"]);
});
