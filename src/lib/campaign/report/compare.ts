import { IasError } from "../../model/errors.ts";
import { isSubjectsFault } from "./rated.ts";
import { type Battle, readBattles, type ReportSource } from "./source.ts";
import { type Share, signTest, type SignTest, wilson } from "./statistics.ts";
import { counted, percent, score } from "./words.ts";

/** Two campaigns, battle by battle. Only battles that both have judged are compared; one that was given up by the subject's fault is judged: it did not pass. */
export interface Comparison {
  readonly base: Side;
  readonly next: Side;
  /** Which subjects were set against each other. */
  readonly subjects: readonly (readonly [base: string, next: string])[];
  /** Battles that both have judged; and those that only one has. */
  readonly battles: number;
  readonly onlyBase: number;
  readonly onlyNext: number;
  /** Of `onlyBase`, those that passed. */
  readonly onlyBasePassed: number;
  /** Battles that fail in base and pass in next; and the other way round. */
  readonly fixed: number;
  readonly broken: number;
  /** Over items (and subjects): the mean of their repeats, because repeats of one item say much the same. */
  readonly passTest: SignTest;
  readonly scoreTest: SignTest;
  /** Every item with both sides' numbers, the largest change first. */
  readonly items: readonly ItemDifference[];
  /** Battles whose verdict changed, at most `MAX_CHANGED`. */
  readonly changed: readonly BattleDifference[];
  /** Items whose prompt, expectation or judge differ: what is compared is not the same question. */
  readonly differentItems: readonly string[];
  /** What it comes to, in sentences. */
  readonly says: readonly string[];
}

/** One campaign of the two, as far as it is compared. */
export interface Side {
  readonly name: string;
  readonly hash: string;
  readonly createdAt: number;
  readonly pass: Share;
  readonly meanScore: number;
}

/** One item with one subject, or a pair of subjects. */
export interface ItemDifference {
  readonly item: string;
  /** Of base. */
  readonly subject: string;
  readonly battles: number;
  readonly basePassed: number;
  readonly nextPassed: number;
  readonly baseScore: number;
  readonly nextScore: number;
}

/** One battle whose verdict changed. */
export interface BattleDifference {
  readonly subject: string;
  readonly item: string;
  readonly repeat: number;
  readonly change: "fixed" | "broken";
  readonly baseScore: number;
  readonly nextScore: number;
}

/** How two campaigns are set against each other. */
export interface CompareOptions {
  /** Base subject → next subject. Absent: equal ids; or the only one of each. */
  readonly subjects?: Readonly<Record<string, string>>;
}

const MAX_CHANGED = 1000;
/** p below it is called significant. */
const ALPHA = 0.05;

/** Compares `next` with `base`. Throws `invalid-request` when no subject of the one belongs to one of the other. */
export async function compareCampaigns(base: ReportSource, next: ReportSource, options: CompareOptions = {}): Promise<Comparison> {
  const subjects = pairSubjects(base, next, options);
  const toBase = new Map(subjects.map(([from, to]) => [to, from]));
  const open = new Map<string, Verdict>();
  const [bases, nexts] = [new Map(subjects), toBase];
  for await (const battle of readBattles(base)) {
    const verdict = verdictOf(battle);
    if (verdict !== undefined && bases.has(battle.subject)) open.set(keyOf(battle.subject, battle), verdict);
  }
  const items = new Map<string, { -readonly [K in keyof ItemDifference]: ItemDifference[K] }>();
  const changed: BattleDifference[] = [];
  let [fixed, broken, onlyNext] = [0, 0, 0];
  for await (const battle of readBattles(next)) {
    const verdict = verdictOf(battle);
    const subject = nexts.get(battle.subject);
    if (verdict === undefined || subject === undefined) continue;
    const key = keyOf(subject, battle);
    const before = open.get(key);
    if (before === undefined) {
      onlyNext += 1;
      continue;
    }
    open.delete(key);
    const itemKey = JSON.stringify([subject, battle.item]);
    const none = { item: battle.item, subject, battles: 0, basePassed: 0, nextPassed: 0, baseScore: 0, nextScore: 0 };
    const sum = items.get(itemKey) ?? none;
    sum.battles += 1;
    sum.basePassed += before.pass ? 1 : 0;
    sum.nextPassed += verdict.pass ? 1 : 0;
    sum.baseScore += before.score;
    sum.nextScore += verdict.score;
    items.set(itemKey, sum);
    if (before.pass === verdict.pass) continue;
    if (verdict.pass) fixed += 1;
    else broken += 1;
    const change = verdict.pass ? ("fixed" as const) : ("broken" as const);
    if (changed.length < MAX_CHANGED)
      changed.push({ subject, item: battle.item, repeat: battle.repeat, change, baseScore: before.score, nextScore: verdict.score });
  }
  const means = [...items.values()].map((sum) => ({ ...sum, baseScore: sum.baseScore / sum.battles, nextScore: sum.nextScore / sum.battles }));
  means.sort((a, b) => Math.abs(passChange(b)) - Math.abs(passChange(a)) || Math.abs(scoreChange(b)) - Math.abs(scoreChange(a)));
  const facts = {
    base: sideOf(base, means, "base"),
    next: sideOf(next, means, "next"),
    subjects,
    battles: means.reduce((sum, one) => sum + one.battles, 0),
    onlyBase: open.size,
    onlyBasePassed: [...open.values()].filter(({ pass }) => pass).length,
    onlyNext,
    fixed,
    broken,
    passTest: signTest(means.map(passChange)),
    scoreTest: signTest(means.map(scoreChange)),
    items: means,
    changed: changed.sort((a, b) => (a.change === b.change ? 0 : a.change === "broken" ? -1 : 1)),
    differentItems: differentItems(base, next),
  };
  return { ...facts, says: sentences(facts) };
}

interface Verdict {
  readonly pass: boolean;
  readonly score: number;
}

function verdictOf({ result: { outcome }, state }: Battle): Verdict | undefined {
  if (state === "given-up" && isSubjectsFault(outcome)) return { pass: false, score: 0 };
  return outcome?.kind === "judged" ? { pass: outcome.verdict.pass, score: outcome.verdict.score } : undefined;
}

const keyOf = (subject: string, { item, repeat }: Battle): string => JSON.stringify([subject, item, repeat]);
const passChange = (one: ItemDifference): number => (one.nextPassed - one.basePassed) / one.battles;
const scoreChange = (one: ItemDifference): number => one.nextScore - one.baseScore;

function pairSubjects(base: ReportSource, next: ReportSource, { subjects }: CompareOptions): readonly (readonly [string, string])[] {
  const [ours, theirs] = [base, next].map(({ campaign }) => campaign.subjects.map(({ id }) => id)) as [string[], string[]];
  const given = subjects === undefined ? undefined : Object.entries(subjects);
  const wrong = given?.find(([from, to]) => !ours.includes(from) || !theirs.includes(to));
  if (wrong !== undefined)
    throw new IasError("invalid-request", `There is no pair ${wrong.join("=")}: base has ${ours.join(", ")}; the other has ${theirs.join(", ")}.`);
  const same = ours.filter((id) => theirs.includes(id)).map((id) => [id, id] as const);
  const [[one], [other]] = [ours, theirs];
  const pairs =
    given ?? (same.length === 0 && ours.length === 1 && theirs.length === 1 && one !== undefined && other !== undefined ? [[one, other] as const] : same);
  if (pairs.length === 0)
    throw new IasError("invalid-request", `No subject is in both: base has ${ours.join(", ")}; the other has ${theirs.join(", ")}. Say which belong together.`);
  return pairs;
}

function sideOf({ campaign, hash, createdAt }: ReportSource, items: readonly ItemDifference[], side: "base" | "next"): Side {
  const battles = items.reduce((sum, one) => sum + one.battles, 0);
  const passed = items.reduce((sum, one) => sum + (side === "base" ? one.basePassed : one.nextPassed), 0);
  const scores = items.reduce((sum, one) => sum + (side === "base" ? one.baseScore : one.nextScore) * one.battles, 0);
  return { name: campaign.name, hash, createdAt, pass: wilson(passed, battles), meanScore: battles === 0 ? 0 : scores / battles };
}

function differentItems(base: ReportSource, next: ReportSource): readonly string[] {
  const before = new Map(base.campaign.items.map((item) => [item.id, item]));
  return next.campaign.items.flatMap((item) => {
    const other = before.get(item.id);
    const question = (one: typeof item, side: ReportSource) => JSON.stringify([one.prompt, one.expected, one.green ?? side.campaign.green]);
    return other === undefined || question(other, base) === question(item, next) ? [] : [item.id];
  });
}

function sentences(facts: Omit<Comparison, "says">): readonly string[] {
  const { base, next, battles, fixed, broken, passTest, scoreTest, onlyBase, onlyBasePassed, onlyNext, differentItems: different } = facts;
  if (battles === 0) return ["No battle was judged in both campaigns: there is nothing to compare."];
  const change = next.pass.share - base.pass.share;
  const points = `${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change * 100).toFixed(1)} points`;
  const share = (side: Side): string =>
    `${percent(side.pass.share)} (${side.pass.passed} of ${side.pass.of}; 95 % interval ${percent(side.pass.low)} to ${percent(side.pass.high)})`;
  return [
    `Passed: ${share(base)} before, ${share(next)} now: ${points}.`,
    `${counted(fixed, "battle")} that failed now ${fixed === 1 ? "passes" : "pass"}, ${counted(broken, "battle")} that passed now ${broken === 1 ? "fails" : "fail"}.`,
    verdictText("pass rate", passTest),
    `Mean score ${score(base.meanScore)} before, ${score(next.meanScore)} now. ${verdictText("score", scoreTest)}`,
    ...(onlyBase + onlyNext > 0
      ? [
          `Left out, as only one campaign has judged them: ${onlyBase} before${onlyBasePassed > 0 ? ` (${onlyBasePassed} of them passed)` : ""}, ${onlyNext} now.`,
        ]
      : []),
    ...(different.length > 0 ? [`Caution: ${counted(different.length, "item")} asked or judged differently in the two campaigns.`] : []),
  ];
}

function verdictText(what: string, { better, worse, p }: SignTest): string {
  const n = better + worse;
  if (n === 0) return `No item's ${what} differs.`;
  const value = p < 0.001 ? "p < 0.001" : `p = ${p.toFixed(3)}`;
  const counts = `better on ${better}, worse on ${worse} of the ${counted(n, "item")} whose ${what} differs`;
  const least = 2 * 0.5 ** n;
  if (p < ALPHA) return `The difference in ${what} is significant: ${counts} (${value}, exact two-sided sign test).`;
  const few = least >= ALPHA ? " So few differences cannot be significant, whatever their direction." : "";
  return `The difference in ${what} is not significant: ${counts} (${value}, exact two-sided sign test); chance alone may explain it.${few}`;
}
