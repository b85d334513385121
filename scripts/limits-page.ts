// Prints docs/limits.md from the table of limits: `npm run -s limits > docs/limits.md`. A test compares the two.
import { readFileSync } from "node:fs";
import { DEFAULT_LIMITS, type Limits } from "../src/lib/model/limits.ts";

/** `docs/limits.md` as the source has it: the name, the default and the comment of each limit. */
export function limitsPage(): string {
  const source = readFileSync(new URL("../src/lib/model/limits.ts", import.meta.url), "utf8");
  const rows = [...source.matchAll(/\/\*\* (.+?) \*\/\n\s+readonly (\w+): number;/gs)].map(([, about = "", name = ""]) => {
    const text = about.replaceAll(/\s*\n\s*\*\s*/g, " ");
    return `| \`${name}\` | ${show(name, DEFAULT_LIMITS[name as keyof Limits])} | ${text} |`;
  });
  return `# Limits

Every limit has a name, a default and an error. Set them with \`LIMITS\` (JSON, for example \`LIMITS='{"maxParallelTurns":64}'\`) or as \`limits\` of \`serve\`.
Numbers are bytes where the text says so, ms where the name ends in \`Ms\`. \`"Infinity"\` takes a limit away.
Those of an agent (\`maxArtifactBytes\`, 64 MiB, fail or roll) are options of \`defineAgent\`.

| limit | default | what happens there |
|---|---|---|
${rows.join("\n")}
`;
}

function show(name: string, value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "none";
  if (name.endsWith("Ms")) return value.toLocaleString("en").replaceAll(",", " ");
  if (value >= 1024 * 1024 && value % (1024 * 1024) === 0) return `${value / 1024 / 1024} MiB`;
  if (value >= 4096 && value % 1024 === 0) return `${value / 1024} KiB`;
  return value.toLocaleString("en").replaceAll(",", " ");
}

if (import.meta.main) process.stdout.write(limitsPage());
