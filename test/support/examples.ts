import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { read, root } from "./tree.ts";

/** Where `npm start` serves: the documents' examples talk to it. */
const ADDRESS = "http://127.0.0.1:4000";

/** The TypeScript blocks of a document, in order. */
export function examplesOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, text = ""]) => text);
}

/** Runs an example as it is written, but against the server at `url`; gives what it prints. Fails where it talks to no server of `npm start`. */
export async function runExample(t: TestContext, example: string, url: string): Promise<string> {
  assert.ok(example.includes(ADDRESS), "it talks to the address of npm start");
  // Inside the project, so that the package's own name resolves; the folder is ignored by git.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "docs-example-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "example.ts");
  writeFileSync(file, example.replaceAll(ADDRESS, url));
  // Node has EventSource behind a flag.
  return run(process.execPath, ["--conditions=@infinite-agent-streams/source", "--experimental-eventsource", "--no-warnings", file], { cwd: folder });
}
