import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startIas } from "./ias-process.ts";

/** Starts `ias purple` before a model server, in a folder of its own, until the test ends; gives its URL. */
export async function startPurple(t: TestContext, model: { readonly url: string }): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), "ias-purple-"));
  t.after(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 3 }));
  const purple = startIas(t, ["purple", "--model", "faulty", "--base-url", model.url, "--port", "0", "--json"], { cwd });
  const [line] = await purple.until(/^\{.*\}$/m);
  return (JSON.parse(line) as { readonly url: string }).url;
}
