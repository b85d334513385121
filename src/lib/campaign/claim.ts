import { IasError } from "../model/errors.ts";
import type { Campaign } from "./campaign.ts";
import { tellDifferences } from "./differences.ts";
import { campaignHash } from "./hash.ts";
import { fixedOf, settingsOf } from "./settings.ts";

/**
 * Whether what was begun as `found` can go on as `given`. Gives the settings that differ, in a line for people, "" when none does or nothing was begun. Throws `conflict` (CAMPAIGN_CHANGED) that
 * names what differs when something else is asked or judged, or when fewer battles are to succeed than before. `place` is the folder, for the message.
 */
export function claim(found: Campaign | undefined, given: Campaign, place: string): string {
  if (found === undefined) return "";
  const [before, now] = [campaignHash(found), campaignHash(given)];
  const choose = "or choose another folder with --out.";
  const details = { found: before, given: now };
  if (before !== now) {
    const differs = tellDifferences(fixedOf(found), fixedOf(given));
    const message = `${place} belongs to the configuration ${before.slice(0, 12)}; this one is ${now.slice(0, 12)}. It differs in ${differs}. Go on with the same configuration, ${choose}`;
    throw new IasError("conflict", message, { reason: "CAMPAIGN_CHANGED", details });
  }
  if (found.target !== undefined && given.target !== undefined && given.target < found.target) {
    const message = `${place} has the target ${found.target}; this one is ${given.target}. A target can be raised, not lowered. Go on with ${found.target} or more, ${choose}`;
    throw new IasError("conflict", message, { reason: "CAMPAIGN_CHANGED", details });
  }
  return tellDifferences(settingsOf(found), settingsOf(given));
}
