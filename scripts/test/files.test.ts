import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { findSuites } from "./files.ts";

const root = mkdtempSync(join(tmpdir(), "ias-files-"));
after(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

// A name in a variable, so that this file itself does not seem to ask for an engine.
const ask = (name: string): string => `import { engine } from "./support/engines.ts"; const it = engine("${name}");`;

put("src/lib/log/memory.test.ts");
put("src/index.test.ts");
put("test/house/sizes.test.ts");
put("test/support/agent.ts", ask("python-a2a-1"));
put("test/relay.integration.test.ts", `import { agent } from "./support/agent.ts"; ${ask("llama")}`);
put("src/lib/log/sqlite.integration.test.ts", ask("of-its-own").replace(/^import.*?;/, "const engine = (name: string) => name;"));

test("files are grouped by room, integration tests by the engines that they and their support need", () => {
  const suites = findSuites(root, []).map(({ name, files, needs, width }) => ({ name, files, needs, width }));
  assert.deepEqual(suites, [
    { name: "house", files: ["test/house/sizes.test.ts"], needs: [], width: "cores" },
    { name: "log", files: ["src/lib/log/memory.test.ts"], needs: [], width: "cores" },
    { name: "src", files: ["src/index.test.ts"], needs: [], width: "cores" },
    { name: "integration: llama + python-a2a-1", files: ["test/relay.integration.test.ts"], needs: ["llama", "python-a2a-1"], width: "one" },
    { name: "integration: log", files: ["src/lib/log/sqlite.integration.test.ts"], needs: [], width: "one" },
  ]);
});

test("patterns choose files by a part of their path", () => {
  assert.deepEqual(
    findSuites(root, ["memory", "house/"]).flatMap((suite) => suite.files),
    ["test/house/sizes.test.ts", "src/lib/log/memory.test.ts"],
  );
});
