import { createHash } from "node:crypto";
import type { Campaign } from "./campaign.ts";

/**
 * A resolved campaign as JSON text: members in the order of their names, nothing absent, `Infinity` as "none". Equal campaigns give equal text, and
 * `readCampaign` makes the same campaign of it: this is how a ledger keeps one.
 */
export function encodeCampaign(campaign: Campaign): string {
  return JSON.stringify(sorted(campaign));
}

/** SHA-256 of `encodeCampaign`, hexadecimal: the name of what a ledger was made for. */
export function campaignHash(campaign: Campaign): string {
  return createHash("sha256").update(encodeCampaign(campaign)).digest("hex");
}

function sorted(value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return "none";
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  // `fromEntries` defines members, so that one called `__proto__` stays a member.
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]));
}
