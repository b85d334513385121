import type { Campaign } from "./campaign.ts";

/** What stands for a number that JSON has no word for: thresholds may be infinite. */
const INFINITE = "\u221e";

/** A campaign as canonical JSON text: members in the order of their names, so that equal campaigns have equal texts. */
export function campaignToText(campaign: Campaign): string {
  return JSON.stringify(campaign, (_, value: unknown) => {
    if (value === Number.POSITIVE_INFINITY) return INFINITE;
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The campaign of a text that `campaignToText` made; its form is trusted. */
export function campaignFromText(text: string): Campaign {
  const parsed = JSON.parse(text) as Campaign;
  const thresholds = Object.fromEntries(
    Object.entries(parsed.thresholds).map(([name, value]) => [name, (value as unknown) === INFINITE ? Number.POSITIVE_INFINITY : value]),
  );
  return { ...parsed, thresholds: thresholds as unknown as Campaign["thresholds"] };
}
