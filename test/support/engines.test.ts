import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { engine, given, MissingEngine } from "./engines.ts";

const folder = mkdtempSync(join(tmpdir(), "ias-engines-"));
const before = { cache: process.env["IAS_CACHE"], engines: process.env["IAS_ENGINES"] };
// In a variable: this file asks for no engine that the runner should install.
const name = "node-22" as const;

afterEach(() => {
  for (const [key, value] of [["IAS_CACHE", before.cache] as const, ["IAS_ENGINES", before.engines] as const]) {
    if (value === undefined) delete process.env[key];
    else process.env[key] = value;
  }
});
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

test("an engine that is not there is a MissingEngine with the way to get it", () => {
  process.env["IAS_CACHE"] = join(folder, "empty");
  delete process.env["IAS_ENGINES"];
  assert.throws(
    () => engine(name),
    (error) => error instanceof MissingEngine && /npm test -- --all/.test(error.message),
  );
});

test("IAS_ENGINES hands over places as JSON or as a file; each must exist", () => {
  process.env["IAS_CACHE"] = join(folder, "empty");
  const places = JSON.stringify({ [name]: { node: process.execPath } });
  process.env["IAS_ENGINES"] = places;
  assert.deepEqual(engine(name), { node: process.execPath });
  const file = join(folder, "engines.json");
  writeFileSync(file, places);
  process.env["IAS_ENGINES"] = file;
  assert.deepEqual(engine(name), { node: process.execPath });
  process.env["IAS_ENGINES"] = JSON.stringify({ [name]: { node: join(folder, "nope") } });
  assert.throws(() => engine(name), /node should be at .*nope, and is not/);
});

test("no IAS_ENGINES hands over nothing", () => {
  assert.deepEqual([given(undefined), given("")], [{}, {}]);
});
