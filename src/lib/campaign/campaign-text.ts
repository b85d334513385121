import type { Thresholds } from "../liveness/thresholds.ts";
import type { Campaign } from "./campaign.ts";
import type { CampaignSettings } from "./settings.ts";

/** What stands for a number that JSON has no word for: thresholds may be infinite. */
const INFINITE = "\u221e";

/** A campaign as canonical JSON text, so that equal campaigns have equal texts. */
export function campaignToText(campaign: Campaign): string {
  return canonicalText(campaign);
}

/** Canonical JSON text of a campaign or of a part of one: members in the order of their names. */
export function canonicalText(part: object): string {
  return JSON.stringify(part, (_, value: unknown) => {
    if (value === Number.POSITIVE_INFINITY) return INFINITE;
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** The campaign of a text that `campaignToText` made; its form is trusted. */
export function campaignFromText(text: string): Campaign {
  return fromText<Campaign>(text);
}

/** The settings of a text that `canonicalText` made of them; its form is trusted. */
export function settingsFromText(text: string): CampaignSettings {
  return fromText<CampaignSettings>(text);
}

function fromText<Part extends { readonly thresholds: Thresholds }>(text: string): Part {
  const parsed = JSON.parse(text) as Part;
  const thresholds = Object.fromEntries(
    Object.entries(parsed.thresholds).map(([name, value]) => [name, (value as unknown) === INFINITE ? Number.POSITIVE_INFINITY : value]),
  );
  return { ...parsed, thresholds: thresholds as unknown as Thresholds };
}
