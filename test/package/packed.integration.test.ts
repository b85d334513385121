import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../scripts/engines/install.ts";
import { engine } from "../support/engines.ts";
import { projectFiles, read, root } from "../support/tree.ts";

/** The package as npm would publish it, installed into an empty project, on the oldest promised Node, the next, and this one. */
const nodes = [engine("node-22").node, engine("node-24").node, process.execPath];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(read("package.json")) as Manifest;
const modules = Object.keys(manifest.exports)
  .filter((name) => !name.endsWith(".json"))
  .map((name) => manifest.name + name.slice(1));

/** A vendor's export needs its optional peer; all others must load without. */
const needsVendor = (module: string): boolean =>
  Object.keys(manifest.peerDependencies).some((peer) => module.endsWith(`/${peer.replace(/^@/, "").replaceAll("/", "-")}`));

/** Defines `stream`: what an A2A 1.0 client without any library gets as text, chunk by chunk. */
const STREAM = `
  async function stream(url) {
    const message = { messageId: "1", role: "ROLE_USER", parts: [{ text: "Hello" }] };
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", "a2a-version": "1.0" },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendStreamingMessage", params: { message } }),
    });
    const frames = [...(await response.text()).matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(match[1]).result);
    return frames.flatMap(({ artifactUpdate }) => (artifactUpdate?.artifact.parts ?? []).map((part) => part.text));
  }`;

const project = mkdtempSync(join(tmpdir(), "ias-packed-"));
let packed: readonly string[] = [];

before(async () => {
  // In a copy, so that a build in the working tree is left alone.
  const copy = join(project, "source");
  mkdirSync(copy);
  for (const file of projectFiles()) {
    if (/^(?:src|scripts|inspector)\/|^[^/]+$/.test(file)) cpSync(root + file, join(copy, file), { recursive: true });
  }
  symlinkSync(`${root}node_modules`, join(copy, "node_modules"));
  const told = await npm(copy, "pack", "--json", "--pack-destination", project);
  packed = [...told.matchAll(/"path": "([^"]+)"/g)].map((match) => match[1] ?? "").sort();
  rmSync(copy, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty-project", private: true, type: "module" }));
  const tarball = readdirSync(project).find((file) => file.endsWith(".tgz"));
  await npm(project, "install", "--ignore-scripts", "--prefer-offline", `./${tarball}`);
});

after(() => rmSync(project, { recursive: true, force: true }));

function npm(cwd: string, ...args: string[]): Promise<string> {
  return run("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { cwd });
}

/** Runs a module text in the project with each Node; resolves to what each printed. */
async function onEachNode(name: string, text: string): Promise<string[]> {
  writeFileSync(join(project, name), text);
  const printed: string[] = [];
  for (const node of nodes) printed.push((await run(node, [name], { cwd: project })).trim());
  return printed;
}

test("the tarball holds what was built and nothing else", () => {
  const stray = packed.filter(
    (file) => !/^(?:dist\/[\w./-]+\.(?:js|d\.ts|html|css|svg)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(file) || /\.test\./.test(file),
  );
  assert.deepEqual(stray, []);
  assert.ok(
    packed.includes("dist/index.js") && packed.includes("dist/index.d.ts") && packed.includes("dist/inspector/index.html") && packed.includes("LICENSE"),
    packed.join(),
  );
});

test("it runs on the three Nodes that were meant", async () => {
  const versions = await onEachNode("version.mjs", "console.log(process.versions.node.split('.')[0]);");
  assert.deepEqual(versions, ["22", "24", "26"]);
});

test("each export loads with no optional vendor installed", async () => {
  const free = modules.filter((module) => !needsVendor(module));
  const text = `for (const module of ${JSON.stringify(free)}) console.log(module, Object.keys(await import(module)).length > 0);`;
  const expected = free.map((module) => `${module} true`).join("\n");
  assert.deepEqual(await onEachNode("load.mjs", text), [expected, expected, expected]);
});

test("with its vendor installed, every export loads", async () => {
  const wanted = Object.keys(manifest.peerDependencies).map((peer) => `${peer}@${manifest.devDependencies[peer]}`);
  await npm(project, "install", "--ignore-scripts", "--prefer-offline", ...wanted);
  const text = `for (const module of ${JSON.stringify(modules)}) console.log(module, Object.keys(await import(module)).length > 0);`;
  const expected = modules.map((module) => `${module} true`).join("\n");
  assert.deepEqual(await onEachNode("load-all.mjs", text), [expected, expected, expected]);
});

test("an agent is served with both logs, and streams token by token, also one of the OpenAI Agents SDK", async () => {
  const text = `
    import { defineAgent, scripted, serve } from "${manifest.name}";
    import { openaiAgents } from "${manifest.name}/openai-agents";
    import { Agent } from "@openai/agents";
    import { assistantMessage, modelStream, ScriptedModel } from "@openai/agents/testing";
    ${STREAM}
    const plain = defineAgent({ id: "plain", engine: scripted([{ kind: "say", text: "one two three" }], { tokenMs: 0 }) });
    const output = [assistantMessage("four five")];
    const usage = { requests: 1, inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const deltas = ["four ", "five"].map((delta) => ({ type: "output_text_delta", delta }));
    const model = () => new ScriptedModel([modelStream([{ type: "response_started" }, ...deltas, { type: "response_done", response: { id: "r", usage, output } }])]);
    for (const log of ["memory", "sqlite"]) {
      const sdk = defineAgent({ id: "sdk", engine: openaiAgents(new Agent({ name: "SDK", model: model() })) });
      const server = await serve({ agents: [plain, sdk], port: 0, grpcPort: 0, log, dataDir: "data-" + process.version });
      console.log(log, JSON.stringify(await stream(server.url + "/a2a/plain")), JSON.stringify(await stream(server.url + "/a2a/sdk")));
      await server[Symbol.asyncDispose]();
    }`;
  const expected = ["memory", "sqlite"].map((log) => `${log} ["one ","two ","three"] ["four ","five"]`).join("\n");
  assert.deepEqual(await onEachNode("serve.mjs", text), [expected, expected, expected]);
});

test("the command runs by the name that npm gives it", async () => {
  for (const node of nodes) {
    const env = { ...process.env, PATH: [dirname(node), process.env["PATH"]].join(delimiter) };
    const told = await run(join(project, "node_modules", ".bin", "ias"), ["--version"], { cwd: project, env });
    assert.match(told, new RegExp(`\\b${manifest.version.replaceAll(".", "\\.")}\\b`));
  }
});

test("the command serves its own agents", async () => {
  const text = `
    import { spawn } from "node:child_process";
    ${STREAM}
    const child = spawn(process.execPath, ["node_modules/${manifest.name}/${manifest.bin["ias"]}", "serve", "--log", "memory"], {
      env: { ...process.env, PORT: "0", GRPC_PORT: "0" }, stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      said += chunk;
      const url = /ready: (http\\S+)/.exec(said)?.[1];
      if (url === undefined) continue;
      const page = await fetch(url);
      const [script] = /\\/assets\\/[^"]+\\.js/.exec(await page.text());
      console.log((await stream(url + "/a2a/assistant")).length > 1, page.status, page.headers.get("content-type"), (await fetch(url + script)).status);
      break;
    }
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));`;
  const expected = "true 200 text/html; charset=utf-8 200";
  assert.deepEqual(await onEachNode("command.mjs", text), [expected, expected, expected]);
});

test("what is not exported cannot be imported", async () => {
  const text = `await import("${manifest.name}/dist/lib/log/log.js").then(() => console.log("open"), (error) => console.log(error.code));`;
  assert.deepEqual(await onEachNode("closed.mjs", text), Array(3).fill("ERR_PACKAGE_PATH_NOT_EXPORTED"));
});

test("a strict TypeScript project compiles against the declarations", async () => {
  writeFileSync(join(project, "use.ts"), modules.map((module, n) => `import * as m${n} from "${module}";\nvoid m${n};`).join("\n"));
  const options = { strict: true, module: "nodenext", target: "es2024", noEmit: true, exactOptionalPropertyTypes: true, skipLibCheck: true, types: ["node"] };
  const compilerOptions = { ...options, typeRoots: [fileURLToPath(new URL("../../node_modules/@types", import.meta.url))] };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
  await run(join(root, "node_modules", ".bin", "tsc"), ["-p", "."], { cwd: project });
});
