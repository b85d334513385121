import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { agentOf, serving } from "../support/serving.ts";
import { read, root } from "../support/tree.ts";

const PORT = "http://127.0.0.1:4000";

test("every example of the guide to frontends runs as it is written", async (t) => {
  const examples = [...read("docs/guides/frontends.md").matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
  assert.equal(examples.length, 4);
  const parts: string[] = [];
  const agent = agentOf(
    async function* (turn) {
      for (const part of turn.input.flatMap((message) => message.parts)) parts.push(part.text ?? `${part.mediaType} ${(await turn.load(part)).byteLength}`);
      yield { kind: "text", text: "That is " };
      yield { kind: "text", text: "the answer." };
    },
    { inputModes: ["text/plain", "text/csv"] },
  );
  const server = await serving(t, [agent]);
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "docs-frontends-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const printed = await Promise.all(
    examples.map((text, n) => {
      assert.ok(text.includes(`"${PORT}"`), "it connects to the address of npm start");
      const file = join(folder, `${n}.ts`);
      writeFileSync(file, text.replaceAll(PORT, server.url));
      // Node has EventSource behind a flag.
      return run(process.execPath, ["--conditions=@infinite-agent-streams/source", "--experimental-eventsource", "--no-warnings", file], { cwd: folder });
    }),
  );
  const [client = "", files = "", sse = "", socket = ""] = printed;
  assert.match(client, /That is \n\d+ the answer\./);
  assert.match(files, /^\/api\/files\/[0-9a-f]{64}\/scores\.csv 18 text\/csv\n/);
  for (const whole of [sse, socket]) assert.ok(whole.includes("That is ") && whole.includes("the answer.") && whole.includes("TASK_STATE_COMPLETED"), whole);
  assert.deepEqual(parts.toSorted(), ["Hello", "Hello", "What time is it in Tokyo?", "Who leads?", "text/csv 18"]);
});
