import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { run } from "../../scripts/engines/install.ts";
import { projectFiles, read, root } from "../support/tree.ts";

/**
 * The Containerfile's own steps, carried out in folders instead of images, for machines without a container engine: WORKDIR, COPY, RUN and ENV as they
 * stand; absolute paths lie below a folder of this test. What this cannot prove: the base image, USER, VOLUME.
 */
interface Instruction {
  readonly word: string;
  readonly rest: string;
}

const machine = mkdtempSync(join(tmpdir(), "ias-container-"));
after(() => rmSync(machine, { recursive: true, force: true }));

const instructions: Instruction[] = read("Containerfile")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => ({ word: line.split(" ", 1)[0] ?? "", rest: line.slice(line.indexOf(" ") + 1).trim() }));

const allowed = new Set(
  read(".dockerignore")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .map((line) => line.slice(1)),
);

const image = { folder: "", workdir: "", env: {} as Record<string, string> };

before(async () => {
  const stages = new Map<string, string>();
  for (const { word, rest } of instructions) {
    const inside = (path: string): string => (path.startsWith("/") ? image.folder + path : join(image.workdir, path));
    if (word === "FROM") {
      const name = / AS (\w+)$/.exec(rest)?.[1] ?? "final";
      Object.assign(image, { folder: join(machine, name), workdir: join(machine, name), env: {} });
      stages.set(name, image.folder);
      mkdirSync(image.folder, { recursive: true });
    } else if (word === "WORKDIR") {
      image.workdir = inside(rest);
      mkdirSync(image.workdir, { recursive: true });
    } else if (word === "ENV") {
      for (const pair of rest.split(" ")) image.env[pair.slice(0, pair.indexOf("="))] = pair.slice(pair.indexOf("=") + 1);
    } else if (word === "COPY") {
      const from = /^--from=(\w+) /.exec(rest)?.[1];
      const paths = rest.replace(/^--from=\w+ /, "").split(" ");
      const target = paths.pop() ?? "";
      for (const path of paths) {
        const into = target.endsWith("/") ? join(inside(target), path.split("/").at(-1) ?? "") : inside(target);
        if (from === undefined) copyFromProject(path, into);
        else cpSync((stages.get(from) ?? "") + path, into, { recursive: true, verbatimSymlinks: true });
      }
    } else if (word === "RUN") {
      const command = rest.replaceAll(/ (\/\w+)/g, (_, path: string) => ` ${image.folder}${path}`).replace(/&& chown \S+ \S+/, "");
      await run("sh", ["-ec", command], { cwd: image.workdir, env: environment() });
    }
  }
});

function copyFromProject(path: string, into: string): void {
  assert.ok(allowed.has(path), `${path} is copied, but .dockerignore keeps it out`);
  const files = projectFiles().filter((file) => file === path || file.startsWith(`${path}/`));
  assert.notEqual(files.length, 0, `${path} is copied, but not in the project`);
  for (const file of files) cpSync(root + file, into + file.slice(path.length), { recursive: true });
}

function environment(): NodeJS.ProcessEnv {
  const elsewhere = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return { ...process.env, PATH: [dirname(process.execPath), ...elsewhere].join(delimiter), ...image.env };
}

test("only instructions that this test knows are used, and the base is the Node of the project", () => {
  const known = new Set(["FROM", "WORKDIR", "ENV", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT"]);
  assert.deepEqual(
    instructions.map(({ word }) => word).filter((word) => !known.has(word)),
    [],
  );
  const { devDependencies } = JSON.parse(read("package.json")) as { devDependencies: { node: string } };
  const bases = instructions.filter(({ word }) => word === "FROM").map(({ rest }) => rest.split(" ")[0]);
  assert.deepEqual([...new Set(bases)], [`node:${devDependencies.node.split(".")[0]}-slim`]);
});

test("the image holds the built package, the vendor's SDK and no tools of developers", () => {
  const at = (path: string): boolean => existsSync(join(image.workdir, path));
  assert.ok(at("dist/index.js") && at("package.json") && at("node_modules/@openai/agents"));
  assert.ok(!at("src") && !at("node_modules/typescript") && !at("node_modules/oxlint"));
});

test("the entry point serves, its health check agrees, and SIGTERM ends it", async () => {
  const [, ...entry] = commandOf("ENTRYPOINT");
  const env = { ...environment(), HOST: "127.0.0.1", PORT: "0", GRPC_PORT: "0", DATA_DIR: join(machine, "data") };
  const server = spawn(process.execPath, entry, { cwd: image.workdir, env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => server.once("exit", resolve));
  let said = "";
  for await (const chunk of server.stdout.setEncoding("utf8")) {
    said += String(chunk);
    const port = /ready: http:\S+:(\d+)/.exec(said)?.[1];
    if (port === undefined) continue;
    const [, ...check] = commandOf("HEALTHCHECK");
    await run(process.execPath, check, { cwd: image.workdir, env: { ...env, PORT: port } });
    break;
  }
  server.kill("SIGTERM");
  assert.equal(await ended, 0, said);
  assert.ok(existsSync(join(machine, "data")), "the log is in DATA_DIR");
});

/** The JSON form of an instruction's command. */
function commandOf(word: string): string[] {
  const rest = instructions.find((instruction) => instruction.word === word)?.rest ?? "";
  return JSON.parse(rest.slice(rest.indexOf("["))) as string[];
}

test("the package loads in the image by its own name", async () => {
  const text = 'for (const name of ["infinite-agent-streams", "infinite-agent-streams/openai-agents"]) console.log(Object.keys(await import(name)).length > 0)';
  assert.equal((await run(process.execPath, ["--input-type=module", "--eval", text], { cwd: image.workdir, env: environment() })).trim(), "true\ntrue");
});
