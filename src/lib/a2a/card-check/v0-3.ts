import type { JsonObject } from "../../model/a2a.ts";
import { checkCommon } from "./common.ts";
import { isObject } from "../../model/json.ts";
import { at, checkOptional, isHttpUrl, isList, isText, type Report } from "./report.ts";
import { checkSecurity03 } from "./security.ts";

const TRANSPORTS = ["JSONRPC", "HTTP+JSON", "GRPC"];

/** A card by A2A 0.3.0 (sections 5.5 and 5.6); `common` is left out where 1.0's check has done it. */
export function checkCard03(report: Report, card: JsonObject, options: { readonly common: boolean }): void {
  if (options.common) checkCommon(report, card, { card: "5.5", skill: "5.5.4", capabilities: "5.5.2", provider: "5.5.1" });
  const { protocolVersion, url, preferredTransport, additionalInterfaces } = card;
  report.check(
    { section: "5.5", level: "MUST", expected: "a version such as 0.3.0" },
    "protocolVersion",
    protocolVersion,
    isText(protocolVersion) && /^0\.3(\.\d+)?$/.test(protocolVersion),
  );
  report.check(
    { section: "5.5", level: "MUST", expected: "an absolute http(s) URL" },
    "url",
    url,
    isHttpUrl(url) || (preferredTransport === "GRPC" && isText(url)),
  );
  const isKnown = isText(preferredTransport) && TRANSPORTS.includes(preferredTransport);
  report.check({ section: "5.6.1", level: "SHOULD", expected: `one of ${TRANSPORTS.join(", ")}` }, "preferredTransport", preferredTransport, isKnown);
  checkOptional(report, { section: "5.6.2", level: "MUST", expected: "a list" }, "additionalInterfaces", additionalInterfaces, isList);
  const entries = isList(additionalInterfaces) ? additionalInterfaces : [];
  for (const [index, entry] of entries.entries()) {
    const path = `additionalInterfaces[${index}]`;
    const { transport, url: address } = isObject(entry) ? entry : {};
    report.check({ section: "5.5.5", level: "MUST", expected: "text" }, at(path, "transport"), transport, isText(transport));
    report.check(
      { section: "5.5.5", level: "MUST", expected: "a URL" },
      at(path, "url"),
      address,
      isText(address) && (transport === "GRPC" || isHttpUrl(address)),
    );
  }
  if (entries.length > 0) {
    const repeats = entries.some((entry) => isObject(entry) && entry["url"] === url && entry["transport"] === (preferredTransport ?? "JSONRPC"));
    report.check(
      { section: "5.6.2", level: "SHOULD", expected: "the main url and its transport among them" },
      "additionalInterfaces",
      additionalInterfaces,
      repeats,
    );
    const conflicts = entries.some((entry) => isObject(entry) && entry["url"] === url && entry["transport"] !== (preferredTransport ?? "JSONRPC") && !repeats);
    report.check(
      { section: "5.6.4", level: "MUST", expected: "no other transport for the main url" },
      "additionalInterfaces",
      additionalInterfaces,
      !conflicts,
    );
  }
  const extended = card["supportsAuthenticatedExtendedCard"];
  checkOptional(
    report,
    { section: "5.5", level: "MUST", expected: "true or false" },
    "supportsAuthenticatedExtendedCard",
    extended,
    (flag) => typeof flag === "boolean",
  );
  checkSecurity03(report, card);
}
