// Writes `dist` from `src`: what npm publishes.
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { buildInspector } from "./inspector.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = `${root}dist/lib/main/ias.js`;

rmSync(`${root}dist`, { recursive: true, force: true });
execFileSync(`${root}node_modules/.bin/tsc`, ["-p", `${root}tsconfig.build.json`], { stdio: "inherit" });
await buildInspector(`${root}dist/inspector`);
if (existsSync(bin)) chmodSync(bin, 0o755);
