import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { agentOf, serving } from "../support/serving.ts";
import { read, root } from "../support/tree.ts";

const PORT = "http://127.0.0.1:4000";

test("the examples of the guide to bridges run as they are written, against an agent on this machine", async (t) => {
  const examples = [...read("docs/guides/bridges.md").matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  const whole = examples.filter((text) => !text.includes("useChat"));
  assert.equal(whole.length, 3);
  const agent = agentOf(
    async function* (turn) {
      const heard = turn.input.flatMap(({ parts }) => parts.map(({ text }) => text ?? "")).join("");
      yield { kind: "text", text: `heard ${heard} after ${(await turn.history()).length}` };
    },
    { id: "assistant" },
  );
  const server = await serving(t, [agent]);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "docs-bridges-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const printed: string[] = [];
  for (const [n, text] of whole.entries()) {
    assert.ok(text.includes(PORT), "it talks to the address of npm start");
    const file = join(folder, `${n}.ts`);
    writeFileSync(file, text.replaceAll(PORT, server.url));
    printed.push(await run(process.execPath, ["--conditions=@infinite-agent-streams/source", file], { cwd: folder }));
  }
  assert.deepEqual(printed, ["heard Hello after 0", "heard And now? after 2", "heard Hello after 0"]);
});
