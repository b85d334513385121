import { run } from "../engines/install.ts";

/** A check of the whole tree by a tool: passes or fails as one. */
export interface Check {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What mends it. */
  readonly fix: string;
}

export const checks: readonly Check[] = [
  { name: "types", command: "tsc", args: ["-p", "."], fix: "read the messages above" },
  { name: "types of the inspector", command: "tsc", args: ["-p", "inspector"], fix: "read the messages above" },
  { name: "lint", command: "oxlint", args: ["--deny-warnings"], fix: "npx oxlint --fix mends some" },
  { name: "format", command: "oxfmt", args: ["--check"], fix: "npm run format" },
];

/** Runs one check in `root`; resolves to what it complained about, or undefined when it passed. */
export async function runCheck(check: Check, root: string): Promise<string | undefined> {
  try {
    await run(`${root}/node_modules/.bin/${check.command}`, check.args, { cwd: root });
    return undefined;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n(${check.fix})`;
  }
}
