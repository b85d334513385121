import assert from "node:assert/strict";
import test from "node:test";
import { HOSTILE, hostileAttempts } from "../../../../test/support/hostile.ts";
import { sampleAttempts, sourceOf } from "../../../../test/support/sample-report.ts";
import type { Attempt } from "../attempt.ts";
import { compareCampaigns } from "./compare.ts";
import { csvCell, jsonInHtml, markdownText } from "./escape.ts";
import { exportReport, REPORT_FORMATS, type ReportFormat } from "./exports.ts";
import type { ReportSource } from "./source.ts";
import { summarize } from "./summarize.ts";

async function text(source: ReportSource, format: ReportFormat): Promise<string> {
  let all = "";
  for await (const piece of exportReport(source, format)) all += piece;
  return all;
}

/** RFC 4180, as a reader has it. */
function parseCsv(csv: string): readonly (readonly string[])[] {
  assert.ok(csv.endsWith("\r\n"));
  return [...csv.matchAll(/((?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*))*)\r\n/g)].map(([, line = ""]) =>
    [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? ""),
  );
}

/** That tags nest and every character is one of XML 1.0. Returns the elements' names in order. */
function checkXml(xml: string): readonly string[] {
  // eslint-disable-next-line no-control-regex -- what XML does not admit
  assert.doesNotMatch(xml, /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/);
  assert.ok(xml.isWellFormed());
  const open: string[] = [];
  const names: string[] = [];
  let rest = xml.replace(/^<\?xml version="1.0" encoding="UTF-8"\?>\n/, "");
  assert.notEqual(rest, xml);
  while (rest !== "") {
    const [whole, text = "", close, name = "", end] =
      /^([^<]*)<(\/?)([a-z-]+)(?: [a-z]+="[^"<]*")*(\/?)>/.exec(rest) ?? assert.fail(`no XML: ${rest.slice(0, 80)}`);
    assert.doesNotMatch(text, />|&(?!(?:amp|lt|gt|quot|#39|#10);)/);
    if (close === "/") assert.equal(open.pop(), name);
    else {
      names.push(name);
      if (end !== "/") open.push(name);
    }
    rest = rest.slice(whole.length).replace(/^\n$/, "");
  }
  assert.deepEqual(open, []);
  return names;
}

test("every format says the same numbers", async () => {
  const attempts = sampleAttempts(60);
  const source = await sourceOf(attempts);
  const json = JSON.parse(await text(source, "json")) as { readonly summary: unknown; readonly attempts: readonly Attempt[] };
  assert.deepEqual(json.attempts, attempts);
  assert.deepEqual(json.summary, JSON.parse(JSON.stringify(source.summary)));
  const lines = (await text(source, "jsonl")).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as Attempt),
    attempts,
  );
  const [header = [], ...rows] = parseCsv(await text(source, "csv"));
  assert.equal(rows.length, attempts.length);
  const column = (name: string) => rows.map((row) => row[header.indexOf(name)]);
  assert.equal(column("outcome").filter((word) => word === "passed").length, source.summary.passed);
  assert.deepEqual(
    column("attempt").map(Number),
    attempts.map(({ attempt }) => attempt),
  );
  const junit = await text(source, "junit");
  const names = checkXml(junit);
  assert.equal(names.filter((name) => name === "testcase").length, source.summary.target);
  assert.equal(names.filter((name) => name === "failure").length, source.summary.judged - source.summary.passed);
  assert.match(junit, new RegExp(`<testsuites name="sample" tests="60" failures="${source.summary.judged - source.summary.passed}" `));
  assert.match(await text(source, "markdown"), new RegExp(`\\(${source.summary.passed}; 95 % interval`));
  assert.match(await text(source, "html"), new RegExp(`>${source.summary.passed} of ${source.summary.judged + source.summary.faults}; 95 % interval`));
});

test("what judged and why, and what waits to be tried again, stand in every format that is read by people", async () => {
  const liveness = { mode: "timeout", why: "the agent does not stream, and no metricsUrl is known" } as const;
  const outcome = { kind: "failed", failure: { class: "rate-limit", code: "429", message: "come later" } } as const;
  const attempts = sampleAttempts(2).map((attempt) => ({ ...attempt, liveness, outcome }));
  const over = await sourceOf(attempts);
  const known = { campaign: over.campaign, hash: over.hash, createdAt: over.createdAt };
  const source = { ...over, summary: await summarize(known, over.ledger, "running") };
  const said = "judged by an adaptive time-out (the agent does not stream, and no metricsUrl is known)";
  for (const format of ["html", "markdown"] as const) {
    const all = (await text(source, format)).replaceAll("\\", "");
    assert.ok(all.includes(said), format);
    assert.match(all, /Waiting to retry: 2 rate-limit|2 waiting to retry: 2 rate-limit/);
    assert.match(all, /waiting to retry(?:<| \|)/, "the battle itself");
    assert.doesNotMatch(all, /Given up: 2/);
  }
  const [header = [], ...rows] = parseCsv(await text(source, "csv"));
  assert.deepEqual(new Set(rows.map((row) => row[header.indexOf("livenessWhy")])), new Set([liveness.why]));
  assert.match(await text(source, "junit"), /skipped="2" [^]*<skipped message="waits to be tried again: come later"/);
});

test("a ledger that nobody has begun to write exports in every format", async () => {
  const source = await sourceOf([]);
  for (const format of Object.keys(REPORT_FORMATS) as ReportFormat[]) assert.equal(typeof (await text(source, format)), "string");
  assert.deepEqual((JSON.parse(await text(source, "json")) as { readonly attempts: readonly unknown[] }).attempts, []);
  checkXml(await text(source, "junit"));
});

test("the same ledger exports the same text", async () => {
  const source = await sourceOf(sampleAttempts(30));
  for (const format of Object.keys(REPORT_FORMATS) as ReportFormat[]) assert.equal(await text(source, format), await text(source, format));
});

test("no cell of CSV begins a formula, and what it holds is the text without control characters", async () => {
  for (const [given, cell] of [
    ["=1+1", `"'=1+1"`],
    ["+1", `"'+1"`],
    ["-1", `"'-1"`],
    ["@x", `"'@x"`],
    [" =1", `"' =1"`],
    ["\t=1", `"'\t=1"`],
    ["\r=1", `"'\n=1"`],
    ["\u0000=1", `"'=1"`],
    ["＝1", `"'＝1"`],
    [`a"b`, `"a""b"`],
    ["a,b", `"a,b"`],
    ["a\nb", `"a\nb"`],
    ["a\u001b[2Jb", "a[2Jb"],
    ["1-1", "1-1"],
    ["", ""],
    [-1.5, "-1.5"],
    [undefined, ""],
    [false, "false"],
  ] as const)
    assert.equal(csvCell(given), cell);
  const [header = [], ...rows] = parseCsv(await text(await sourceOf(hostileAttempts()), "csv"));
  assert.equal(rows.length, HOSTILE.length * 2);
  for (const row of rows) {
    assert.equal(row.length, header.length);
    // eslint-disable-next-line no-control-regex -- what must not be there
    for (const cell of row) assert.doesNotMatch(cell, /^\s*[=+\-@＝＋－＠]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  }
});

test("JUnit stays XML whatever agents say", async () => {
  checkXml(await text(await sourceOf(hostileAttempts()), "junit"));
});

test("JSON and JSONL lose nothing and hold no character that drives a terminal", async () => {
  const attempts = hostileAttempts();
  for (const format of ["json", "jsonl"] as const) {
    const all = await text(await sourceOf(attempts), format);
    // eslint-disable-next-line no-control-regex -- what must not be there
    assert.doesNotMatch(all, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
    const read =
      format === "json"
        ? (JSON.parse(all) as { readonly attempts: unknown }).attempts
        : all
            .trimEnd()
            .split("\n")
            .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(read, attempts);
  }
});

test("Markdown shows hostile text as text", async () => {
  assert.equal(markdownText("a | b\n# c"), "a \\| b \\#<!-- --> c");
  assert.equal(markdownText("[x](javascript:alert(1))"), "\\[x\\]\\(javascript\\:alert\\(1\\)\\)");
  assert.equal(markdownText("see http://a www.b @me"), "see http\\:<!-- -->//a www.<!-- -->b \\@<!-- -->me");
  assert.equal(markdownText("1. - x"), "1\\. - x");
  assert.equal(markdownText("- x"), "\\- x");
  const all = await text(await sourceOf(hostileAttempts()), "markdown");
  for (const line of all.split("\n")) {
    assert.doesNotMatch(line, /(?<!\\)<(?!!-- -->)/, "no markup");
    assert.doesNotMatch(line, /(?<!\\)\]\(|(?<!\\)!\[|https?:\/\//, "no link");
    if (line.startsWith("|")) assert.ok([3, 4, 5, 6].includes(line.split(/(?<!\\)\|/).length - 2), line);
  }
});

test("the HTML report has no script, one style sheet that its policy names, and hostile text only as text", async () => {
  const html = await text(await sourceOf(hostileAttempts(), { campaign: { name: HOSTILE.join(" ") } }), "html");
  const tags = new Set([...html.matchAll(/<([a-z][a-z0-9]*)/g)].map(([, name]) => name));
  for (const name of ["img", "iframe", "object", "embed", "link", "base", "form", "a", "video", "audio"]) assert.ok(!tags.has(name), name);
  assert.deepEqual(html.match(/<script[^>]*>/g), [`<script type="application/json" id="data">`]);
  assert.equal(html.match(/<\/script>/g)?.length, 1);
  assert.equal(html.match(/<style/g)?.length, 1);
  assert.doesNotMatch(html.replaceAll(/"[^"]*"/g, '""'), /<[a-z][^>]* (?:on[a-z]+|style|src|href)=/);
  assert.match(html, /content="default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'"/);
  // eslint-disable-next-line no-control-regex -- what must not be there
  assert.doesNotMatch(html, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  assert.ok(html.isWellFormed());
  const [, data = ""] = /id="data">(.*)<\/script>/.exec(html) ?? [];
  assert.equal((JSON.parse(data) as { readonly campaign: string }).campaign, HOSTILE.join(" "));
  assert.equal(jsonInHtml("</script>\u2028"), `"\\u003c/script\\u003e\\u2028"`);
});

test("a long campaign stays one page to open: battles in pages, curves of some, limits said", async () => {
  const source = await sourceOf(sampleAttempts(3000));
  const html = await text(source, "html");
  assert.equal(html.match(/<details class="page"/g)?.length, 12);
  assert.equal(html.match(/<details class="page" open>/g)?.length, 1);
  assert.equal(html.match(/class="spark"/g)?.length, 400);
  assert.match(html, /Curves of 400 battles are drawn/);
  assert.match(html, /60 of \d+ attempts that were slow, stalled or failed/);
});

test("a comparison stands in HTML and Markdown", async () => {
  const [base, next] = [await sourceOf(sampleAttempts(40)), await sourceOf(sampleAttempts(40, { seed: 2, passRate: 0.2 }))];
  const comparison = await compareCampaigns(base, next);
  for (const format of ["html", "markdown"] as const) {
    let all = "";
    for await (const piece of exportReport(next, format, { comparison })) all += piece;
    assert.match(all, /exact two-sided sign test/);
  }
});
