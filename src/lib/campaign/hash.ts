import { createHash } from "node:crypto";
import type { Campaign } from "./campaign.ts";
import { campaignToText } from "./campaign-text.ts";

/** SHA-256 of a resolved campaign's canonical text, hexadecimal: the name of what a ledger was made for. */
export function campaignHash(campaign: Campaign): string {
  return createHash("sha256").update(campaignToText(campaign)).digest("hex");
}
