// `npm run check`: types, lint, form, and the rules of the house (layering, sizes, exports); what to run before each commit.
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checks, runCheck } from "./test/checks.ts";
import { runFile } from "./test/run-file.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const complaints: string[] = [];

for (const check of checks) {
  const complaint = await runCheck(check, root);
  if (complaint !== undefined) complaints.push(`${check.name}: ${complaint}`);
}
for (const file of globSync("test/house/*.test.ts", { cwd: root }).sort()) {
  const result = await runFile(file, { root, env: process.env, limitSeconds: 120 });
  for (const problem of result.problems) complaints.push(`${file}: ${problem}`);
}

for (const complaint of complaints) process.stderr.write(`${complaint}\n\n`);
process.stdout.write(complaints.length === 0 ? "check: all is well\n" : `check: ${complaints.length} complaints\n`);
process.exitCode = complaints.length === 0 ? 0 : 1;
