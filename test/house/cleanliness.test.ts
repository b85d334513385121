import assert from "node:assert/strict";
import { test } from "node:test";
import { projectFiles, read } from "../support/tree.ts";

const texts = projectFiles()
  .filter((file) => !/\.(png|jpg|webp|gif|ico|woff2|wasm|gguf|wav|mp4|pdf)$/.test(file))
  .map((file) => ({ file, text: read(file) }));

/** `file:line what` for every place where `pattern` stands. */
function places(pattern: RegExp, except: (file: string) => boolean = () => false): string[] {
  return texts
    .filter(({ file }) => !except(file))
    .flatMap(({ file, text }) =>
      [...text.matchAll(pattern)].map((match) => `${file}:${text.slice(0, match.index).split("\n").length} ${match[0].slice(0, 80)}`),
    );
}

const slashed = (...names: string[]): RegExp => new RegExp(`(?<![\\w.-])/(?:${names.join("|")})/[\\w.]`, "g");

test("no path of somebody's machine is in the project", () => {
  assert.deepEqual(places(slashed("work", "farm", "root", "home/[\\w]+", "Users/[\\w]+", "tmp/wt")), []);
});

test("no registry host is in the project: each user's own configuration decides", () => {
  assert.deepEqual(
    places(/registry\.(?:npmjs|yarnpkg)\.\w+|\bpypi\.org\/simple|files\.pythonhosted|proxy\.golang\.\w+|--(?:extra-)?index-url|"resolved": "http/g, isThisFile),
    [],
  );
});

test("no key or token is in the project", () => {
  const kinds = ["sk-[A-Za-z0-9_-]{20,}", "gh[pousr]_[A-Za-z0-9]{30,}", "AKIA[0-9A-Z]{16}", "xox[baprs]-[\\w-]{10,}", "AIza[\\w-]{35}", "npm_[A-Za-z0-9]{36}"];
  assert.deepEqual(places(new RegExp(`\\b(?:${kinds.join("|")})|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----`, "g"), isThisFile), []);
});

test("no test is skipped, todo or alone", () => {
  const bad = /\b(?:it|test|describe|suite)\.(?:skip|todo|only)\b|\b(?:skip|todo|only): *(?:true|["'`])/g;
  assert.deepEqual(
    places(bad, (file) => !/\.tsx?$/.test(file) || isThisFile(file) || file === "scripts/test/run-file.test.ts"),
    [],
  );
});

test("no file has the marks of an unfinished merge", () => {
  assert.deepEqual(places(/^(?:<{7}|>{7}) /gm), []);
});

function isThisFile(file: string): boolean {
  return file === "test/house/cleanliness.test.ts";
}
