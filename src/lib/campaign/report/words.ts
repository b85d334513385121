import { splitKey } from "../../model/key.ts";
import type { Attempt, JudgedBy } from "../attempt.ts";
import type { LivenessCount } from "../progress.ts";
import type { Battle } from "./source.ts";

// How numbers, times and ends are said, the same in every view and export.

/** A time as `6:51` or `1:02:03`. */
export function clockTime(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
  const tail = String(seconds).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${minutes}:${tail}`;
}

/** A duration with its unit: `412 ms`, `1.2 s`, `48 s`, `6:51 min`, `1:02:03 h`. */
export function duration(ms: number): string {
  if (ms < 1) return ms <= 0 ? "0 ms" : "< 1 ms";
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 119_500) return `${Math.round(ms / 1000)} s`;
  const rounded = Math.round(ms / 1000) * 1000;
  return rounded < 3_600_000 ? `${clockTime(rounded)} min` : `${clockTime(rounded)} h`;
}

/** A whole number with its thousands apart: `12,345`. */
export function count(value: number): string {
  return String(Math.round(value)).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `count` of a noun: `1 battle`, `2 battles`. */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A share: `48 %`, `4.8 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value === 0 || value === 100 || (value >= 10 && value <= 99) ? Math.round(value) : value.toFixed(1)} %`;
}

/** Tokens a second: `0.3`, `4.2`, `43`. */
export function rate(tokensPerSecond: number): string {
  return tokensPerSecond < 9.95 ? tokensPerSecond.toFixed(1) : count(tokensPerSecond);
}

/** A score from 0 to 1 in at most three digits: `1`, `0.5`, `0.333`. */
export function score(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

/** A moment, in UTC: `2026-01-31 13:05:09`. */
export function moment(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

/** How an attempt or a battle stands, in a word and what kind of news it is. */
export interface Standing {
  readonly word: "passed" | "not passed" | "failed" | "unknown" | "canceled" | "running" | "waiting to retry";
  readonly tone: "good" | "bad" | "warn" | "quiet";
}

/** How an attempt stands. */
export function standing({ outcome }: Pick<Attempt, "outcome">): Standing {
  switch (outcome?.kind) {
    case undefined:
      return { word: "running", tone: "quiet" };
    case "judged":
      return outcome.verdict.pass ? { word: "passed", tone: "good" } : { word: "not passed", tone: "bad" };
    case "failed":
      return { word: "failed", tone: "warn" };
    case "unknown":
      return { word: "unknown", tone: "warn" };
    case "canceled":
      return { word: "canceled", tone: "quiet" };
  }
}

/** How a battle stands: as the attempt that stands for it, unless it is to be tried again. */
export function battleStanding({ state, result }: Pick<Battle, "state" | "result">): Standing {
  return state === "waiting" ? { word: "waiting to retry", tone: "quiet" } : standing(result);
}

/** Why an attempt ended as it did, as one sentence; empty where there is nothing to say. */
export function reasonOf({ outcome }: Pick<Attempt, "outcome">): string {
  switch (outcome?.kind) {
    case "judged":
      return outcome.verdict.reason ?? "";
    case "failed":
      return outcome.failure.message;
    case "unknown":
      return outcome.why;
    case "canceled":
    case undefined:
      return "";
  }
}

/** What judged, for people, behind "judged by". */
export function judgedBy(mode: JudgedBy): string {
  switch (mode) {
    case "stream":
      return "its stream";
    case "metrics":
      return "its engine's counters";
    case "timeout":
      return "an adaptive time-out";
  }
}

/** What a subject's attempts were judged by and why, in a clause each; empty before its first attempt. */
export function livenessText(counts: readonly LivenessCount[]): string {
  return counts
    .map(({ mode, why, attempts }) => `${counts.length > 1 ? `${counted(attempts, "attempt")} ` : ""}judged by ${judgedBy(mode)} (${why})`)
    .join("; ");
}

/** A battle's name for people: `item`, or `item #2` for a further repeat. */
export function itemName({ item, repeat }: Pick<Attempt, "item" | "repeat">): string {
  return repeat === 1 ? item : `${item} #${repeat}`;
}

/** What a battle's key says. */
export function readBattle(battle: string): { readonly subject: string; readonly item: string; readonly repeat: number } {
  const [subject = "", item = "", repeat = "1"] = splitKey(battle);
  return { subject, item, repeat: Number(repeat) };
}
