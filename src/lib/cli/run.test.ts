import assert from "node:assert/strict";
import test from "node:test";
import { runIas } from "../../../test/support/run-ias.ts";
import { serveCommand } from "../main/serve-command.ts";
import { IasError } from "../model/errors.ts";
import { cardCommand } from "./card.ts";
import { chatCommand } from "./chat.ts";
import type { Command } from "./command.ts";
import { tailCommand } from "./tail.ts";
import { tasksCommand } from "./tasks.ts";

const COMMANDS = [serveCommand, chatCommand, tasksCommand, tailCommand, cardCommand];

test("help names every command, and each command's help every option, within 100 columns", async () => {
  for (const argv of [[], ["--help"], ["-h"], ["help"]]) {
    const { code, out, err } = await runIas(COMMANDS, argv);
    assert.deepEqual({ code, err }, { code: 0, err: "" });
    for (const { name, summary } of COMMANDS) assert.ok(out.includes(name) && out.includes(summary));
  }
  for (const command of COMMANDS) {
    const { code, out } = await runIas(COMMANDS, [command.name, "--help"]);
    assert.equal(code, 0);
    assert.deepEqual(await runIas(COMMANDS, ["help", command.name]), { code: 0, out, err: "" });
    for (const option of [...Object.keys(command.options), "json"]) assert.ok(out.includes(`--${option}`), `${command.name} --${option}`);
    assert.match(out, /^Examples:$/m);
    for (const line of out.split("\n")) assert.ok(line.length <= 100, `${line.length} columns: ${line}`);
  }
});

test("the version is told", async () => {
  assert.deepEqual(await runIas(COMMANDS, ["--version"]), { code: 0, out: "1.2.3\n", err: "" });
});

test("a wrong command line exits 2 and says what is right, as JSON where asked", async () => {
  for (const [argv, says] of [
    [["nope"], /no command "nope"; there are serve, chat/],
    [["--port", "0", "serve"], /comes first, its options after it: ias serve --port 0$/m],
    [["chat"], /a URL is needed/],
    [["chat", "--nope"], /Unknown option '--nope'/],
    [["chat", "127.0.0.1:9", "hi", "--resume"], /--resume <value>' argument missing/],
    [["chat", "127.0.0.1:9"], /without a terminal a message is needed/],
    [["chat", "127.0.0.1:9", "--resume", ""], /--resume needs the id/],
    [["chat", "ftp://127.0.0.1", "hi"], /not an http or https URL/],
    [["chat", "http://a b", "hi"], /not an http or https URL/],
    [["chat", "127.0.0.1:9", "hi", "--header", "nope"], /--header must be "Name: value"/],
    [["chat", "127.0.0.1:9", "hi", "--header", "a: b\nc: d"], /--header must be "Name: value"/],
    [["tasks", "--limit", "0"], /--limit must be 1 to 100/],
    [["tasks", "--state", "done"], /--state must be one of submitted, working/],
    [["tail"], /a task is needed/],
    [["serve", "no-such-file.ts"], /there is no file no-such-file.ts/],
    [["serve", "a.ts", "b.ts"], /one file at most/],
  ] as const) {
    const plain = await runIas(COMMANDS, argv);
    assert.equal(plain.code, 2, argv.join(" "));
    assert.equal(plain.out, "");
    assert.match(plain.err, says);
    assert.match(plain.err, /See ias.* --help\.\n$/);
    const { code, out, err } = await runIas(COMMANDS, [...argv, "--json"]);
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.equal((JSON.parse(err) as { readonly error: { readonly code: string } }).error.code, "invalid-request");
  }
});

test("options before the command are told where they belong", async () => {
  const { code, err } = await runIas(COMMANDS, ["--json", "serve", "--port", "0"]);
  assert.equal(code, 2);
  const { error } = JSON.parse(err) as { readonly error: { readonly message: string } };
  assert.equal(error.message, "the command comes first, its options after it: ias serve --json --port 0");
});

test("a server's own invalid-request is an error, not wrong usage, and errors drive no terminal", async () => {
  const failing: Command = {
    name: "fail",
    summary: "",
    help: "",
    options: {},
    run: async (_args, io) => {
      io.out("\u001b]52;c;ZXZpbA==\u0007out");
      throw new IasError("invalid-request", "The agent says: \u001b[2J\u202e\rno", { retryable: true });
    },
  };
  assert.deepEqual(await runIas([failing], ["fail"]), { code: 1, out: "]52;c;ZXZpbA==out", err: "ias fail: The agent says: [2Jno\n" });
  const { code, err } = await runIas([failing], ["fail", "--json"]);
  assert.equal(code, 1);
  assert.ok(!["\u001b", "\r", "\u202e"].some((character) => err.includes(character)));
  assert.deepEqual(JSON.parse(err), { error: { code: "invalid-request", message: "The agent says: \u001b[2J\u202e\rno", retryable: true } });
});

test("a server that is not there is told with what to do", async () => {
  for (const argv of [
    ["chat", "127.0.0.1:9", "hi"],
    ["tasks", "127.0.0.1:65534"],
    ["tail", "t", "127.0.0.1:65534"],
    ["card", "127.0.0.1:65534"],
  ]) {
    const { code, err } = await runIas(COMMANDS, argv);
    assert.equal(code, 1, argv.join(" "));
    assert.match(err, /127\.0\.0\.1/);
  }
  assert.match((await runIas(COMMANDS, ["tasks", "127.0.0.1:65534"])).err, /Is it running there\?/);
});

test("commands under one name are found, listed, and told by their whole name", async () => {
  const ping: Command = { name: "ping", summary: "Say pong", help: "Usage: ias group ping\n", options: {}, run: async () => 7 };
  const group = { name: "group", summary: "Things together", about: "More words.\n", commands: [ping] };
  assert.equal((await runIas([group], ["group", "ping"])).code, 7);
  for (const argv of [["group"], ["group", "--help"], ["help", "group"]]) {
    const { code, out } = await runIas([group], argv);
    assert.equal(code, 0);
    assert.equal(out, "Things together.\n\nUsage: ias group <command> [options]\n\n  ping  Say pong\n\nMore words.\n");
  }
  for (const argv of [
    ["group", "ping", "--help"],
    ["group", "help", "ping"],
    ["help", "group", "ping"],
  ])
    assert.equal((await runIas([group], argv)).out, ping.help);
  assert.match((await runIas([group], ["group", "nope"])).err, /^ias group: there is no command "nope"; there are ping\.\nSee ias group --help\.\n$/);
  assert.match((await runIas([group], ["group", "ping", "--nope"])).err, /^ias group ping: Unknown option/);
  assert.match((await runIas([group], ["group", "--json", "ping"])).err, /options after it: ias group ping --json/);
});
