import { isObject } from "../model/json.ts";
import { createReport, type CardFinding, type Report } from "./card-check/report.ts";
import { checkCard03 } from "./card-check/v0-3.ts";
import { checkCard1 } from "./card-check/v1.ts";

export type { CardFinding } from "./card-check/report.ts";
export { verifySignatures } from "./card-check/signatures.ts";

/** What is known of the answer that brought a card. */
export interface CardResponse {
  readonly url: string;
  readonly headers: Headers;
}

/**
 * Examines an agent card rule by rule, by A2A 1.0.1, and by 0.3 where the card speaks it (a card may speak both). Every rule that applies is in the list, kept or not;
 * a card is right when no `MUST` is broken. Never throws: what is not a card breaks the first rule.
 */
export function checkCard(card: unknown, response?: CardResponse): readonly CardFinding[] {
  const report = createReport();
  report.check({ section: "8.1", level: "MUST", expected: "a JSON object" }, "card", card, isObject(card));
  if (!isObject(card)) return report.findings;
  const is03 = card["url"] !== undefined || card["preferredTransport"] !== undefined || card["additionalInterfaces"] !== undefined;
  const is1 = card["supportedInterfaces"] !== undefined || !is03;
  if (is1) checkCard1(report, card);
  if (is03) checkCard03(report, card, { common: !is1 });
  if (response !== undefined) checkResponse(report, response);
  return report.findings;
}

/** Whether no MUST is broken. */
export function isCardRight(findings: readonly CardFinding[]): boolean {
  return findings.every((finding) => finding.ok || finding.level !== "MUST");
}

/** 8.2 and 8.6: where the card stands and how it may be cached. */
function checkResponse(report: Report, { url, headers }: CardResponse): void {
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  report.check({ section: "8.2", level: "SHOULD", expected: "/.well-known/agent-card.json" }, "path", path, path.endsWith("/.well-known/agent-card.json"));
  const type = headers.get("content-type") ?? undefined;
  report.check(
    { section: "8.2", level: "SHOULD", expected: "application/json or application/a2a+json" },
    "Content-Type",
    type,
    /^application\/(a2a\+)?json\b/i.test(type ?? ""),
  );
  const cache = headers.get("cache-control") ?? undefined;
  report.check({ section: "8.6.1", level: "SHOULD", expected: "max-age" }, "Cache-Control", cache, /\bmax-age=\d+/.test(cache ?? ""));
  report.check({ section: "8.6.1", level: "SHOULD", expected: "a validator" }, "ETag", headers.get("etag") ?? undefined, headers.has("etag"));
  report.check(
    { section: "8.6.1", level: "MAY", expected: "when the card last changed" },
    "Last-Modified",
    headers.get("last-modified") ?? undefined,
    headers.has("last-modified"),
  );
}
