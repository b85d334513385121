import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { bundleClient } from "../support/bundle-client.ts";
import { engine } from "../support/engines.ts";
import { agentOf, serving } from "../support/serving.ts";

const nodes = [engine("node-22").node, engine("node-24").node];

test("the client runs on every Node that is promised, over both transports, and lets the process end", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      for (let n = 0; n < 20; n += 1) yield { kind: "text", text: `${n} ` };
    }),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "ias-nodes-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "client.mjs");
  writeFileSync(
    file,
    await bundleClient(`
      import { createClient, stream } from "infinite-agent-streams/client";
      const baseUrl = process.argv[2];
      for (const transport of ["sse", "websocket", "auto"]) {
        const client = createClient({ baseUrl, transport });
        const { task } = await client.send("agent", "hi");
        let text = "";
        for await (const { event } of client.stream(task)) text += event.artifactUpdate?.artifact.parts[0].text ?? "";
        let count = 0;
        for await (const _ of stream(task, { baseUrl, audience: "internal" })) count += 1;
        console.log(transport, text.trim().split(" ").length, count);
      }
    `),
  );
  for (const node of nodes) {
    const printed = await run(node, [file, server.url], { cwd: folder });
    assert.match(printed, /^sse 20 \d\d\nwebsocket 20 \d\d\nauto 20 \d\d\n$/, node);
  }
});
