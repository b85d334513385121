import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { importsOf, projectFiles, read } from "../support/tree.ts";

/** The rooms of `src/lib`, lowest first. A room imports lower ones only. */
const ROOMS = [
  "model",
  "stream",
  "net",
  "liveness",
  "browser",
  "client",
  "log",
  "task",
  "search",
  "bus",
  "engine",
  "media",
  "memory",
  "tenancy",
  "runtime",
  "a2a",
  "api",
  "bridge",
  "socket",
  "gateway",
  "campaign",
  "observe",
  "testing",
  "cli",
  "main",
];

/** Rooms without adapters: everything in them may be imported from above. */
const OPEN = new Set(["model", "stream", "net", "task", "liveness"]);

/**
 * What other rooms may import beside a room's contract file (named like its folder: `log/log.ts`). Each is a contract too, or the
 * room's one public function. Adapters are named by `main/` and by the package's exports only.
 */
const CONTRACTS = new Set([
  "client/connect.ts", // reaches a remote A2A agent; which binding it speaks is its own affair
  "client/mirror.ts", // compares what was recorded of a remote task with what it is
  "client/card.ts", // what a remote agent's card says
  "log/records.ts", // parts of the log's contract that are seams of their own
  "log/task-index.ts",
  "log/store.ts", // log, index and records of one store together
  "media/blobs.ts", // where bytes are kept, behind the media
  "media/blob-page.ts", // serves contents that others made
  "media/sniff.ts", // what a file is, from its first bytes
  "media/uploads.ts", // whose bytes uploads are, and their addresses
  "engine/agent.ts", // what an agent is, for runtime and gateway
  "engine/define-agent.ts", // makes one
  "engine/agents.ts", // which of a server's agents are there for a caller
  "engine/to-event.ts", // what an engine yielded, checked
  "engine/to-events.ts", // what it gave to be read
  "a2a/card-check.ts", // examines any agent's card, rule by rule
  "a2a/binding.ts", // what an HTTP binding is; the bindings themselves are wired in main/
  "a2a/errors.ts", // each error's form on each binding, in one table
  "tenancy/secrets.ts", // seals what others entrusted to us
  "tenancy/authenticator.ts", // who calls, for bindings and cards
  "api/endpoint.ts", // what an endpoint of the API is; other rooms have some
  "api/schemas.ts", // names of schemas in the one OpenAPI document
  "api/api-parts.ts", // what endpoints, sockets and bridges stand on
  "api/errors.ts", // errors in the API's form, which bridges without one of their own speak too
  "campaign/load-campaign.ts", // a campaign of its file
  "campaign/attempt.ts", // one try of a battle, as ledger, views and exports have it
  "campaign/ledger.ts", // the campaign's memory
  "campaign/report/source.ts", // what a report is made from
  "campaign/report/exports.ts", // a campaign in any format
  "campaign/report/compare.ts", // one campaign set against another
  "campaign/report/rated.ts", // what a pass rate is of
  "campaign/report/statistics.ts", // intervals and tests of significance
  "campaign/report/words.ts", // how numbers and ends are said, the same in every view
  "campaign/progress.ts", // what a runner tells, for views
  "a2a/operations.ts", // the operations that all bindings and the gateway call
]);

const sources = projectFiles().filter((file) => file.startsWith("src/") && file.endsWith(".ts") && !file.endsWith(".test.ts"));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly typeOnly: boolean;
}

/** Imports inside `src`, both ends relative to the repository. */
const inner: Import[] = sources.flatMap((from) =>
  importsOf(from)
    .filter(({ target }) => target.startsWith("."))
    .map(({ target, line, typeOnly }) => ({ typeOnly, from, to: normalize(join(dirname(from), target)), line })),
);

function roomOf(file: string): string | undefined {
  const [src, lib, room, more] = file.split("/");
  return src === "src" && lib === "lib" && more !== undefined ? room : undefined;
}

/** What is wrong with an import, or undefined. */
function wrong({ from, to }: Import): string | undefined {
  if (!to.startsWith("src/")) return "leaves src";
  const [upper, lower] = [roomOf(from), roomOf(to)];
  if (upper === lower || from.split("/").length === 2) return undefined;
  if (lower === undefined) return "imports a package export from inside";
  if (upper === undefined || ROOMS.indexOf(lower) > ROOMS.indexOf(upper)) return `${upper} is below ${lower}`;
  const inside = to.slice("src/lib/".length);
  const open = OPEN.has(lower) || inside === `${lower}/${lower}.ts` || CONTRACTS.has(inside) || upper === "main";
  return open ? undefined : "is not a contract file; adapters are named in main/ only";
}

test("every folder of src/lib is a room with a place in the order", () => {
  const unknown = sources.filter((file) => file.startsWith("src/lib/") && !ROOMS.includes(roomOf(file) ?? ""));
  assert.deepEqual(unknown, []);
});

test("the map in AGENTS.md names every room", () => {
  const map = /^## Map\n([^]*?)^## /m.exec(read("AGENTS.md"))?.[1] ?? "";
  const rooms = new Set(sources.map(roomOf).filter((room) => room !== undefined));
  assert.deepEqual(
    [...rooms].filter((room) => !map.includes(` ${room}/`)),
    [],
  );
});

test("a room imports lower rooms only, and of them only contract files", () => {
  const bad = inner.flatMap((each) => {
    const why = wrong(each);
    return why === undefined ? [] : [`${each.from}:${each.line} imports ${each.to}: ${why}`];
  });
  assert.deepEqual(bad, []);
});

test("the list of contracts names files that exist", () => {
  assert.deepEqual(
    [...CONTRACTS].filter((file) => !sources.includes(`src/lib/${file}`)),
    [],
  );
});

test("files of src/ re-export by name and do nothing else", () => {
  for (const file of sources.filter((each) => each.split("/").length === 2)) {
    const code = read(file)
      .replaceAll(/\/\*[^]*?\*\/|\/\/.*$/gm, "")
      .replaceAll(/export\s+(type\s+)?\{[^}]*\}\s*from\s*"[^"]+"\s*;/g, "");
    assert.equal(code.trim(), "", `${file} holds more than named re-exports`);
  }
});

test("src imports only what package.json gives to those who install the package", () => {
  const manifest = JSON.parse(read("package.json")) as Record<"dependencies" | "peerDependencies", Record<string, string>>;
  const given = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)]);
  const bad = sources.flatMap((file) =>
    importsOf(file)
      .filter(({ target }) => !target.startsWith(".") && !target.startsWith("node:"))
      .filter(({ target }) => !given.has(target.split("/", target.startsWith("@") ? 2 : 1).join("/")))
      .map(({ target, line }) => `${file}:${line} imports ${target}`),
  );
  assert.deepEqual(bad, []);
});

test("an optional vendor is imported only by the adapter that is named after it", () => {
  const { peerDependencies } = JSON.parse(read("package.json")) as { peerDependencies: Record<string, string> };
  const bad = Object.keys(peerDependencies).flatMap((vendor) => {
    const name = vendor.replace(/^@/, "").replaceAll("/", "-");
    return sources
      .filter((file) => importsOf(file).some(({ target, typeOnly }) => !typeOnly && (target === vendor || target.startsWith(`${vendor}/`))))
      .filter((file) => !file.includes(name))
      .map((file) => `${file} imports ${vendor}, but is not below or named ${name}`);
  });
  assert.deepEqual(bad, []);
});

test("no import goes in a circle", () => {
  // Types are gone when the program runs.
  const next = Map.groupBy(
    inner.filter(({ typeOnly }) => !typeOnly),
    ({ from }) => from,
  );
  const state = new Map<string, "open" | "done">();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === "done") return;
    if (state.get(file) === "open") return void circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    state.set(file, "open");
    for (const { to } of next.get(file) ?? []) visit(to, [...path, file]);
    state.set(file, "done");
  };
  for (const file of sources) visit(file, []);
  assert.deepEqual(circles, []);
});
