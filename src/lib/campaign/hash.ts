import { createHash } from "node:crypto";
import type { Campaign } from "./campaign.ts";
import { canonicalText } from "./campaign-text.ts";
import { fixedOf } from "./settings.ts";

/**
 * SHA-256 of the canonical text of what a resolved campaign asks and how it judges, hexadecimal: the name of what a ledger was made for. Settings (`settings.ts`)
 * are not in it: how many battles run at once or where a subject listens may change between two runs of a folder.
 */
export function campaignHash(campaign: Campaign): string {
  return createHash("sha256")
    .update(canonicalText(fixedOf(campaign)))
    .digest("hex");
}
