import assert from "node:assert/strict";
import test from "node:test";
import { attemptOf } from "../../../../test/support/campaigns.ts";
import { sampleAttempts, sourceOf } from "../../../../test/support/sample-report.ts";
import type { ControlState } from "../../campaign/ledger.ts";
import type { Summary } from "../../campaign/progress.ts";
import { summarize } from "../../campaign/report/summarize.ts";
import { IasError } from "../../model/errors.ts";
import type { Io } from "../command.ts";
import type { Screen } from "../screen.ts";
import { campaign, type World } from "../../../../test/support/campaign-commands.ts";

const started = { kind: "started", campaign: "nightly", resumed: false, done: 0, target: 2 } as const;

test("every command's help names its options, has examples, and fits 100 columns", async () => {
  const names = ["run", "status", "pause", "resume", "cancel", "requeue", "compare", "report"];
  const { out } = await campaign(["--help"]);
  for (const name of names) {
    assert.match(out, new RegExp(`^  ${name} +\\S`, "m"));
    const { code, out: help } = await campaign([name, "--help"]);
    assert.equal(code, 0);
    assert.match(help, new RegExp(`^Usage: ias campaign ${name}`));
    assert.match(help, /^Examples:$/m);
    assert.match(help, /--json/);
    assert.match(help, /^Exit codes:/m);
    for (const line of help.split("\n")) assert.ok(line.length <= 100, line);
  }
});

test("a wrong command line exits 2 and says what is right", async () => {
  for (const [argv, says] of [
    [["nope"], /no command "nope"; there are run, status/],
    [["run"], /the campaign's file is needed/],
    [["run", "a.yaml", "b.yaml"], /one file at most/],
    [["run", "nightly.yaml", "--liveness", "hope"], /--liveness must be one of auto, stream, metrics, timeout/],
    [["status", "nowhere"], /there is no results folder nowhere/],
    [["requeue", "results/sample"], /battles are needed, or --failed/],
    [["requeue", "results/sample", "nope"], /there is no battle "nope"; one is llama\/question-0001\/1/],
    [["compare", "results/sample"], /two folders are needed/],
    [["compare", "results/sample", "results/sample", "--subject", "a"], /--subject must be <of base>=<of next>/],
    [["compare", "results/sample", "results/sample", "--format", "csv"], /--format must be one of text, json, markdown/],
    [["report", "--format", "pdf"], /--format must be one of html, json, jsonl, csv, junit, markdown/],
    [["report", "--against", "results/sample", "--format", "csv"], /--against needs the format html or markdown/],
    [["report", "--out", "-", "--json"], /both want stdout/],
  ] as const) {
    const { code, out, err } = await campaign(argv);
    assert.deepEqual([code, out], [2, ""], argv.join(" "));
    assert.match(err, says);
  }
});

test("run tells what happens as lines where there is no terminal, then what it came to, and where", async () => {
  const { code, out, err, loads } = await campaign(["run", "nightly.yaml", "--liveness", "stream"], {
    runs({ onProgress, folder, say }, summary) {
      assert.equal(folder, "results/nightly -2J-x");
      onProgress(started);
      say("green is started");
      onProgress({ kind: "attempt-started", attempt: attemptOf(), resumed: false });
      onProgress({ kind: "tokens", battle: "purple/one/1", tokens: 3, tokensPerSecond: 3, text: "unseen" });
      const verdict = { pass: true, score: 1, reason: "fine \u001b[31m\u202eevil\nline" };
      onProgress({ kind: "attempt-ended", attempt: attemptOf({ outcome: { kind: "judged", verdict, answer: "" } }) });
      onProgress({ kind: "warning", code: "LAG", message: "The event loop lags." });
      return summary;
    },
  });
  assert.equal(code, 0);
  assert.deepEqual(loads, [{ liveness: "stream" }]);
  assert.equal(err, "00:00:00 [0/2] green is started\n00:00:00 [1/2] purple · one passed: fine [31mevil line\n00:00:00 [1/2] The event loop lags.\n");
  assert.match(out, /^sample: done, \d+ of 20 judged, \d+ % passed \(\d+; 95 % interval .*\n  \d+ attempts.*\n.*tokens; mean score.*TTFT p50.*\n/);
  assert.match(out, /  results\/nightly -2J-x: `ias campaign report results\/nightly -2J-x` makes a page of it\.\n$/);
});

test("run --verbose shows every token's progress; its text cannot drive the terminal", async () => {
  const { err } = await campaign(["run", "nightly.yaml", "--verbose"], {
    runs({ onProgress, verbose }, summary) {
      assert.equal(verbose, true);
      onProgress(started);
      onProgress({ kind: "phase", battle: "purple/one/1", attempt: 1, phase: "generating", at: 0 });
      for (const text of ["Par", "is\u001b[2J\n"]) onProgress({ kind: "tokens", battle: "purple/one/1", tokens: 1, tokensPerSecond: undefined, text });
      return summary;
    },
  });
  assert.match(err, /purple · one generating\n.*purple · one 1 token: "Par"\n.*purple · one 1 token: "is\\u001b\[2J\\n"\n$/);
});

test("run --json is progress as JSON lines, tokens only with --verbose, and nothing else on stdout", async () => {
  const runs: World["runs"] = ({ onProgress }, summary) => {
    onProgress(started);
    onProgress({ kind: "tokens", battle: "purple/one/1", tokens: 1, tokensPerSecond: 1, text: "\u009b1m" });
    onProgress({ kind: "ended", summary });
    return summary;
  };
  const kinds = (out: string) =>
    out
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { readonly kind: string }).kind);
  const quiet = await campaign(["run", "nightly.yaml", "--json"], { runs });
  assert.deepEqual([quiet.code, quiet.err, kinds(quiet.out)], [0, "", ["started", "ended"]]);
  const loud = await campaign(["run", "nightly.yaml", "--json", "--verbose"], { runs });
  assert.deepEqual(kinds(loud.out), ["started", "tokens", "ended"]);
  assert.ok(!loud.out.includes("\u009b"));
});

test("exit codes: 100 under the threshold or below the target, 130 interrupted or canceled, 1 an error", async () => {
  const ends = async (change: Partial<Summary>, passThreshold?: number) =>
    (
      await campaign(["run", "nightly.yaml"], {
        campaign: passThreshold === undefined ? {} : { passThreshold },
        runs: (_options, summary) => ({ ...summary, ...change }),
      })
    ).code;
  assert.equal(await ends({ passed: 5, judged: 10 }), 0);
  assert.equal(await ends({ passed: 5, judged: 10 }, 0.5), 0);
  assert.equal(await ends({ passed: 4, judged: 10 }, 0.5), 100);
  assert.equal(await ends({ passed: 0, judged: 0 }, 0.5), 100);
  assert.equal(await ends({ passed: 1, judged: 1, faults: 2 }, 0.9), 100, "what is given up by the subject's fault did not pass");
  assert.equal(await ends({ state: "exhausted" }), 100);
  assert.equal(await ends({ state: "canceled" }), 130);
  assert.equal(await ends({ state: "running" }), 130);
  const failed = await campaign(["run", "nope.yaml"]);
  assert.deepEqual([failed.code, failed.err], [1, "ias campaign run: The campaign nope.yaml cannot be read.\n"]);
});

test("Ctrl-C stops in order and exits 130; a second one ends at once", async () => {
  let press: (signal: "SIGINT") => void = () => undefined;
  const onInterrupt: Io["onInterrupt"] = (handler) => {
    press = handler;
    return () => (press = () => assert.fail("the way back was not taken"));
  };
  const { code, err, exits } = await campaign(["run", "nightly.yaml"], {
    onInterrupt,
    runs({ signal }, summary) {
      press("SIGINT");
      assert.ok(signal.aborted);
      return { ...summary, state: "running" };
    },
  });
  assert.deepEqual([code, exits], [130, []]);
  assert.match(err, /Stopping: nothing new starts/);
  const twice = await campaign(["run", "nightly.yaml"], {
    onInterrupt,
    runs(_options, summary) {
      press("SIGINT");
      press("SIGINT");
      return summary;
    },
  });
  assert.deepEqual(twice.exits, [130]);
});

test("on a terminal the view is drawn and leaves nothing, also after an error", async () => {
  for (const fails of [false, true]) {
    const calls: string[] = [];
    const screen: Screen = {
      size: () => ({ columns: 80, rows: 24 }),
      draw: () => void calls.push("draw"),
      print: (lines) => void calls.push(lines.map((line) => line.map(({ text }) => text).join("")).join("\n")),
      onResize: () => () => calls.push("off"),
      end: () => void calls.push("end"),
    };
    const { code, err } = await campaign(["run", "nightly.yaml"], {
      openScreen: () => screen,
      runs({ onProgress, say }, summary) {
        onProgress(started);
        say("green is started");
        if (fails) throw new IasError("unavailable", "Nobody is there.");
        return summary;
      },
    });
    assert.equal(code, fails ? 1 : 0);
    assert.equal(err, fails ? "ias campaign run: Nobody is there.\n" : "");
    assert.deepEqual(calls.slice(-2), ["off", "end"]);
    assert.ok(calls.includes("00:00:00 green is started"));
  }
});

test("status says what it came to and what is wished", async () => {
  const { code, out } = await campaign(["status"]);
  assert.equal(code, 0);
  assert.match(out, /^sample: .* judged, /);
  const json = JSON.parse((await campaign(["status", "--json"])).out) as { readonly folder: string; readonly summary: Summary; readonly wishes: ControlState };
  assert.equal(json.folder, "results/sample");
  assert.equal(json.summary.target, 20);
  assert.equal(json.wishes.paused, false);
});

test("status names what is under way, the longest first", async () => {
  const running = Array.from({ length: 10 }, (_, index) =>
    attemptOf({ battle: `a/${index}/1`, subject: "a", item: String(index), startedAt: 1_767_225_600_000 - index * 60_000 }),
  );
  const sources = { "results/sample": await sourceOf(running) };
  const { out } = await campaign(["status"], { sources });
  assert.match(out, /\n  10 attempts under way\n    a · 9, for 9:00\n    a · 8, for 8:00\n(?:    a .*\n){6}    and 2 more\n$/);
  const gone = await campaign(["status"], { sources, hasRunner: false });
  assert.match(gone.out, /\n  10 attempts left by a runner that is gone; `ias campaign run` takes them up\n    a · 9\n/);
  const { underWay } = JSON.parse((await campaign(["status", "--json"], { sources })).out) as { readonly underWay: readonly unknown[] };
  assert.deepEqual(underWay[0], { battle: "a/9/1", attempt: 1, startedAt: 1_767_225_600_000 - 540_000 });
});

test("pause, resume, cancel and requeue leave their wishes in the folder", async () => {
  const wished = async (argv: readonly string[]) => {
    const { code, wishes, err } = await campaign(argv);
    assert.deepEqual([code, err], [0, ""]);
    return wishes();
  };
  const none = { paused: false, canceled: false, cancelBattles: [], requeueBattles: [] };
  assert.deepEqual(await wished(["pause"]), { ...none, paused: true });
  assert.deepEqual(await wished(["resume"]), none);
  assert.deepEqual(await wished(["cancel", "results/sample"]), { ...none, canceled: true });
  assert.deepEqual(await wished(["cancel", "results/sample", "llama/question-0002"]), none, "it has ended");
  assert.deepEqual((await wished(["requeue", "results/sample", "question-0003"])).requeueBattles, ["llama/question-0003/1", "qwen/question-0003/1"]);
  const { out } = await campaign(["pause", "--json"]);
  assert.deepEqual(JSON.parse(out), { folder: "results/sample", wishes: { ...none, paused: true } });
});

test("requeue --failed takes the battles without a verdict", async () => {
  const lost = { ...attemptOf({ battle: "a/1/1", subject: "a", item: "1" }), outcome: { kind: "unknown", why: "" } as const };
  const canceled = { ...attemptOf({ battle: "a/2/1", subject: "a", item: "2" }), outcome: { kind: "canceled" } as const };
  const running = attemptOf({ battle: "a/3/1", subject: "a", item: "3" });
  const fine = {
    ...attemptOf({ battle: "a/4/1", subject: "a", item: "4" }),
    outcome: { kind: "judged", verdict: { pass: false, score: 0 }, answer: "" } as const,
  };
  const sources = { "results/sample": await sourceOf([lost, canceled, running, fine]) };
  const { wishes, out } = await campaign(["requeue", "results/sample", "--failed"], { sources });
  assert.deepEqual(wishes().requeueBattles, ["a/1/1", "a/2/1"]);
  assert.equal(out, "2 battles to be tried again.\n");
});

test("compare says it as text, JSON and Markdown, to stdout or a file", async () => {
  const sources = {
    monday: await sourceOf(sampleAttempts(20)),
    tuesday: await sourceOf(sampleAttempts(20, { seed: 2, passRate: 0.1 })),
  };
  const plain = await campaign(["compare", "monday", "tuesday"], { sources });
  assert.equal(plain.code, 0);
  assert.match(plain.out, /^Passed: .* before, .* now: .* points\.\n/);
  assert.match(plain.out, /question-\d+ +worse +passed 1\/1 → 0\/1 +score 1 → 0\.2\n/);
  const json = JSON.parse((await campaign(["compare", "monday", "tuesday", "--json"], { sources })).out) as {
    readonly fixed: number;
    readonly says: readonly string[];
  };
  assert.equal(typeof json.fixed, "number");
  assert.ok(plain.out.startsWith(json.says[0] ?? "?"));
  const file = await campaign(["compare", "monday", "tuesday", "--format", "markdown", "--out", "x.md"], { sources });
  assert.equal(file.out, "x.md\n");
  assert.match(file.files.get("x.md") ?? "", /^# Comparison: sample\n/);
  assert.match((await campaign(["compare", "monday", "tuesday", "--subject", "llama=qwen", "--json"], { sources })).out, /"subjects":\[\["llama","qwen"\]\]/);
});

test("report writes the format that is asked for into the folder, a file, or stdout", async () => {
  const html = await campaign(["report"]);
  assert.equal(html.out, "results/sample/report.html\n");
  assert.match(html.files.get("results/sample/report.html") ?? "", /^<!doctype html>/);
  const junit = await campaign(["report", "results/sample", "--format", "junit", "--out", "j.xml", "--json"]);
  assert.deepEqual(JSON.parse(junit.out), { file: "j.xml", format: "junit" });
  assert.match(junit.files.get("j.xml") ?? "", /^<\?xml/);
  const csv = await campaign(["report", "--format", "csv", "--out", "-"]);
  assert.match(csv.out, /^subject,item,repeat/);
  assert.equal(csv.files.size, 0);
  const against = await campaign(["report", "results/sample", "--against", "results/sample"]);
  assert.match(against.files.get("results/sample/report.html") ?? "", /Compared with/);
});

test("battles that are given up by the subject's fault count as not passed, and it is said", async () => {
  const { out } = await campaign(["run", "nightly.yaml"], {
    campaign: { passThreshold: 0.9 },
    runs: (_options, summary) => ({ ...summary, judged: 1, passed: 1, faults: 2, failed: { stall: 1, deterministic: 1, transport: 1 } }),
  });
  assert.match(out, /1 of 20 judged, 33 % passed \(1; .*; the threshold of 90 % is missed\n/);
  assert.match(out, /\n  2 battles given up by the subject's fault count as not passed; other failures are left out of the rate\n/);
});

test("status and the end of a run say what waits to be tried again, and by what each subject is judged", async () => {
  const liveness = { mode: "metrics", why: "asked for" } as const;
  const refused = { kind: "failed", failure: { class: "rate-limit", code: "429", message: "later" } } as const;
  const source = await sourceOf([attemptOf({ subject: "a", battle: "a/one/1", outcome: refused, liveness })]);
  const summary = await summarize({ campaign: source.campaign, hash: "h", createdAt: 0 }, source.ledger, "running");
  const { out } = await campaign(["status"], { sources: { "results/sample": { ...source, summary } } });
  assert.match(out, /, waiting to retry: 1 rate-limit\n/);
  assert.doesNotMatch(out, /given up/);
  assert.match(out, /\n  judged by its engine's counters \(asked for\)\n/);
  const { err } = await campaign(["run", "nightly.yaml"], {
    runs({ onProgress }, ended) {
      onProgress(started);
      onProgress({ kind: "liveness", subject: "a", mode: "stream", why: "the agent speaks our extension" });
      return ended;
    },
  });
  assert.match(err, /a is judged by its stream: the agent speaks our extension\n/);
});

test("cancel of a battle that has ended says so, and wishes nothing", async () => {
  const verdict = { pass: true, score: 1 };
  const sources = {
    "results/sample": await sourceOf([
      attemptOf({ battle: "a/1/1", subject: "a", item: "1", outcome: { kind: "judged", verdict, answer: "" } }),
      attemptOf({ battle: "a/2/1", subject: "a", item: "2" }),
    ]),
  };
  const ended = await campaign(["cancel", "results/sample", "a/1"], { sources });
  assert.deepEqual([ended.out, ended.wishes().cancelBattles], ["1 battle has ended already: there is nothing to cancel.\n", []]);
  const both = await campaign(["cancel", "results/sample", "a/1", "a/2"], { sources });
  assert.deepEqual(both.wishes().cancelBattles, ["a/2/1"]);
  assert.equal(both.out, "1 battle to be canceled. 1 battle has ended already: there is nothing to cancel.\n");
});

test("what was given up is not tried again by itself, and it is said how", async () => {
  const refused = { kind: "failed", failure: { class: "deterministic", code: "MODEL_UNAUTHORIZED", message: "401" } } as const;
  const sources = { "results/sample": await sourceOf([attemptOf({ subject: "a", battle: "a/one/1", outcome: refused })]) };
  const says =
    /The battle that was given up is not tried again by itself: put right what failed, then `ias campaign requeue results\/sample --failed` and run it again\./;
  assert.match((await campaign(["status"], { sources })).out, says);
  const { out } = await campaign(["run", "nightly.yaml"], { runs: (_options, summary) => ({ ...summary, failed: { deterministic: 3 } }) });
  assert.match(out, /The 3 battles that were given up are not tried again by themselves: .*requeue results\/nightly -2J-x --failed/);
});

test("a line before the campaign has begun names no counts, and what is fought again is taken out of them", async () => {
  const { err } = await campaign(["run", "nightly.yaml"], {
    runs({ onProgress, say }, summary) {
      say("green is started");
      onProgress({ ...started, resumed: true, done: 2 });
      onProgress({ kind: "requeued", battle: "purple/one/1", wasJudged: true });
      const outcome = { kind: "judged", verdict: { pass: true, score: 1 }, answer: "" } as const;
      onProgress({ kind: "attempt-ended", attempt: attemptOf({ outcome }) });
      return summary;
    },
  });
  assert.match(err, /^00:00:00 green is started\n.*\[2\/2\] goes on.*\n.*\[1\/2\] purple · one is fought again.*\n.*\[2\/2\] purple · one passed\n$/);
});

test("a wish without a runner says who carries it out", async () => {
  assert.equal((await campaign(["pause"])).out, "No more battles start until `ias campaign resume`.\n");
  assert.match((await campaign(["cancel"], { hasRunner: false })).out, /Nobody runs the campaign now: the next `ias campaign run` does it\.\n$/);
});

test("one token is one token, and a short wait is said in ms", async () => {
  const { err } = await campaign(["run", "nightly.yaml"], {
    runs({ onProgress }, summary) {
      onProgress(started);
      onProgress({ kind: "attempt-started", attempt: attemptOf(), resumed: false });
      onProgress({ kind: "tokens", battle: "purple/one/1", tokens: 1, tokensPerSecond: undefined });
      onProgress({ kind: "phase", battle: "purple/one/1", attempt: 1, phase: "stalled", at: 0 });
      onProgress({ kind: "retry", battle: "purple/one/1", inMs: 180, why: "stall: x" });
      return summary;
    },
  });
  assert.match(err, /stalled after 1 token\n.*is tried again in 180 ms \(stall\)\n/);
});
