// Loaded before anything else by `npm start`, `npm test` and the other scripts. Plain JavaScript, because the Node that is
// wrong may be too old to read TypeScript.
const WANTED = 26;
const major = Number(process.versions.node.split(".")[0]);

if (major < WANTED) {
  process.stderr.write(
    `This project runs on Node ${WANTED}; this is Node ${process.version} (${process.execPath}).\n` +
      `npm scripts bring their own Node ${WANTED} (the devDependency "node"), which an install script unpacks. It is missing: either\n` +
      `- you installed with --ignore-scripts: run "npm rebuild node", or\n` +
      `- "npm ci" has not run here yet: run it, or\n` +
      `- you started a file by hand: use "npm start", "npm test" or "npx node <file>".\n`,
  );
  process.exit(1);
}
