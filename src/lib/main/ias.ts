#!/usr/bin/env node
/** The `ias` command. Imports come after the check: what they import in turn is not there in an older Node, which would end in a stack that says nothing. */
const LEAST = [22, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < LEAST[0] || (major === LEAST[0] && minor < LEAST[1])) {
  process.stderr.write(`ias: this is Node ${process.versions.node} (${process.execPath}); infinite-agent-streams needs Node ${LEAST.join(".")} or newer.\n`);
  process.exitCode = 1;
} else {
  await import("./command-line.ts");
}
