import assert from "node:assert/strict";
import test from "node:test";
import { sourceOf } from "../../../../test/support/sample-report.ts";
import { attemptOf } from "../../../../test/support/campaigns.ts";
import { joinKey } from "../../model/key.ts";
import type { Attempt } from "../attempt.ts";
import { compareCampaigns } from "./compare.ts";
import { quantile, signTest, wilson } from "./statistics.ts";

function judged(subject: string, item: string, pass: boolean, repeat = 1): Attempt {
  const outcome = { kind: "judged", answer: "", verdict: { pass, score: pass ? 1 : 0 } } as const;
  return attemptOf({ battle: joinKey(subject, item, String(repeat)), subject, item, repeat, endedAt: 1, outcome });
}

const campaign = (subject: string, passes: readonly boolean[]) => sourceOf(passes.map((pass, index) => judged(subject, `item ${index}`, pass)));

test("Wilson's interval is that of the literature", () => {
  const { low, high } = wilson(8, 10);
  assert.ok(Math.abs(low - 0.4902) < 0.0001 && Math.abs(high - 0.9433) < 0.0001, `${low} ${high}`);
  assert.equal(wilson(0, 10).low, 0);
  assert.ok(wilson(10, 10).high > 0.999_999);
  assert.deepEqual([wilson(0, 0).low, wilson(0, 0).high], [0, 1]);
});

test("the sign test is exact, two-sided, leaves ties out, and takes ten thousand pairs", () => {
  assert.deepEqual(signTest([1, 1, 1, 1, 1, 0]), { better: 5, worse: 0, equal: 1, p: 0.0625 });
  assert.ok(Math.abs(signTest([...Array(9).fill(1), -1]).p - 22 / 1024) < 1e-12);
  assert.equal(signTest([]).p, 1);
  assert.equal(signTest([1, -1]).p, 1);
  assert.equal(signTest(Array(10_000).fill(0)).p, 1);
  assert.ok(Math.abs(signTest([...Array(5000).fill(1), ...Array(5000).fill(-1)]).p - 1) < 1e-9);
  assert.ok(signTest([...Array(5200).fill(1), ...Array(4800).fill(-1)]).p < 0.0001);
  assert.deepEqual([quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.95), quantile([], 0.5)], [2, 4, undefined]);
});

test("a campaign that is equal differs in nothing", async () => {
  const source = await campaign("a", [true, false, true]);
  const result = await compareCampaigns(source, source);
  assert.deepEqual([result.battles, result.fixed, result.broken, result.passTest.p], [3, 0, 0, 1]);
  assert.ok(result.says.some((sentence) => sentence === "No item's pass rate differs."));
});

test("battles are set against each other by item and repeat, and changes are counted both ways", async () => {
  const base = await campaign("a", [false, false, true, true]);
  const next = await campaign("a", [true, true, false, true]);
  const { fixed, broken, items, changed, says } = await compareCampaigns(base, next);
  assert.deepEqual([fixed, broken], [2, 1]);
  assert.deepEqual(
    changed.map(({ item, change }) => [item, change]),
    [
      ["item 2", "broken"],
      ["item 0", "fixed"],
      ["item 1", "fixed"],
    ],
  );
  assert.deepEqual(items.at(-1), { item: "item 3", subject: "a", battles: 1, basePassed: 1, nextPassed: 1, baseScore: 1, nextScore: 1 });
  assert.match(says.join(" "), /not significant: better on 2, worse on 1 of the 3 items .*So few differences cannot be significant/);
});

test("a difference is called significant only below 5 %", async () => {
  const base = await campaign("a", Array<boolean>(12).fill(false));
  const next = await campaign("a", [...Array<boolean>(6).fill(true), ...Array<boolean>(6).fill(false)]);
  const { says, passTest } = await compareCampaigns(base, next);
  assert.ok(Math.abs(passTest.p - 0.03125) < 1e-12);
  assert.match(says.join(" "), /The difference in pass rate is significant: better on 6, worse on 0 of the 6 items .*p = 0\.031, exact two-sided sign test/);
  assert.match(says.join(" "), /Passed: 0 % \(0 of 12; .*50 % \(6 of 12; .*\+50\.0 points/);
});

test("repeats of an item count as one pair", async () => {
  const repeats = (pass: boolean) => Array.from({ length: 10 }, (_, index) => judged("a", "one", pass, index + 1));
  const { passTest, battles, items } = await compareCampaigns(await sourceOf(repeats(false)), await sourceOf(repeats(true)));
  assert.deepEqual([battles, items.length, passTest.better, passTest.p], [10, 1, 1, 1]);
});

test("the only subject of each belongs together; others by name or by what is said", async () => {
  const [a, b] = [await campaign("a", [true]), await campaign("b", [false])];
  assert.deepEqual((await compareCampaigns(a, b)).subjects, [["a", "b"]]);
  const two = await sourceOf([judged("b", "item 0", true), judged("c", "item 0", false)]);
  await assert.rejects(compareCampaigns(a, two), /No subject is in both: base has a; the other has b, c/);
  assert.equal((await compareCampaigns(a, two, { subjects: { a: "c" } })).broken, 1);
  await assert.rejects(compareCampaigns(a, two, { subjects: { a: "d" } }), /There is no pair a=d/);
  assert.equal((await compareCampaigns(two, two, { subjects: { b: "c" } })).broken, 1, "two subjects of one campaign");
});

test("battles without a verdict are left out, discounted attempts too, and another question is a caution", async () => {
  const failed = { ...judged("a", "item 0", true), outcome: { kind: "unknown", why: "" } as const };
  const again = { ...judged("a", "item 1", true), discounted: true as const };
  const base = await sourceOf([failed, again, { ...judged("a", "item 1", false), attempt: 2 }]);
  const next = await sourceOf([judged("a", "item 0", true), judged("a", "item 1", true)], { campaign: { items: [{ id: "item 1", prompt: "Another." }] } });
  const { battles, onlyNext, fixed, differentItems, says } = await compareCampaigns(base, next);
  assert.deepEqual([battles, onlyNext, fixed, differentItems], [1, 1, 1, ["item 1"]]);
  assert.match(says.join(" "), /Caution: 1 item asked or judged differently/);
});

test("a battle that passed and is now given up by the subject's fault is a regression; one that is lost otherwise is told apart", async () => {
  const ended = (item: string, kind: "stall" | "transport"): Attempt => ({
    ...judged("a", item, true),
    outcome: { kind: "failed", failure: { class: kind, code: "", message: "" } },
  });
  const base = await sourceOf(["0", "1", "2"].map((item) => judged("a", item, true)));
  const next = await sourceOf([judged("a", "0", true), ended("1", "stall"), ended("2", "transport")]);
  const { battles, broken, onlyBase, says, changed } = await compareCampaigns(base, next);
  assert.deepEqual([battles, broken, onlyBase], [2, 1, 1]);
  assert.deepEqual(
    changed.map(({ item, change }) => [item, change]),
    [["1", "broken"]],
  );
  assert.match(says.join(" "), /1 battle that passed now fails\./);
  assert.match(says.join(" "), /−50\.0 points/);
  assert.match(says.join(" "), /1 before \(1 of them passed\), 0 now\./);
});
