import type { Json, JsonObject } from "../../model/a2a.ts";
import { checkCommon } from "./common.ts";
import { isObject } from "../../model/json.ts";
import { at, checkOptional, isHttpUrl, isList, isText, type Report } from "./report.ts";
import { checkSecurity1 } from "./security.ts";

const BINDINGS = ["JSONRPC", "HTTP+JSON", "GRPC"];

/** A card by A2A 1.0.1 (sections 4.4, 4.5, 5.5, 8). */
export function checkCard1(report: Report, card: JsonObject): void {
  checkCommon(report, card, { card: "4.4.1", skill: "4.4.5", capabilities: "4.4.3", provider: "4.4.2" });
  const interfaces = card["supportedInterfaces"];
  report.check(
    { section: "8.3.1", level: "MUST", expected: "a list of at least one interface, the preferred first" },
    "supportedInterfaces",
    interfaces,
    isList(interfaces) && interfaces.length > 0,
  );
  for (const [index, entry] of (isList(interfaces) ? interfaces : []).entries()) checkInterface(report, `supportedInterfaces[${index}]`, entry);
  checkSecurity1(report, card);
  const { signatures } = card;
  checkOptional(report, { section: "8.4.2", level: "MUST", expected: "a list" }, "signatures", signatures, isList);
  for (const [index, signature] of (isList(signatures) ? signatures : []).entries()) checkSignature(report, `signatures[${index}]`, signature);
  checkForm(report, card);
}

function checkInterface(report: Report, path: string, entry: Json): void {
  const section = "4.4.6";
  if (!isObject(entry)) {
    report.check({ section, level: "MUST", expected: "an object" }, path, entry, false);
    return;
  }
  const { protocolBinding: binding, protocolVersion: version, url, tenant } = entry;
  report.check({ section, level: "MUST", expected: "text" }, at(path, "protocolBinding"), binding, isText(binding));
  const isKnown = isText(binding) && (BINDINGS.includes(binding) || URL.canParse(binding));
  report.check(
    { section: "5.8", level: "SHOULD", expected: `${BINDINGS.join(", ")}, or the URI of a custom binding` },
    at(path, "protocolBinding"),
    binding,
    isKnown,
  );
  report.check(
    { section: "3.6", level: "MUST", expected: "a version as Major.Minor, such as 1.0" },
    at(path, "protocolVersion"),
    version,
    isText(version) && /^\d+\.\d+/.test(version),
  );
  report.check(
    { section: "3.6", level: "SHOULD", expected: "no patch number" },
    at(path, "protocolVersion"),
    version,
    isText(version) && /^\d+\.\d+$/.test(version),
  );
  if (binding === "GRPC") {
    report.check({ section, level: "SHOULD", expected: "host:port" }, at(path, "url"), url, isText(url) && /^(\[[^\]]+\]|[^/:]+):\d+$/.test(url));
  } else if (isText(binding) && !BINDINGS.includes(binding) && isKnown) {
    // A custom binding has the scheme of its transport.
    report.check({ section: "12.7", level: "MUST", expected: "an absolute URL" }, at(path, "url"), url, isText(url) && URL.canParse(url));
    const http = isText(url) ? url.replace(/^ws/i, "http") : url;
    report.check(
      { section: "7.1", level: "SHOULD", expected: "wss in production (ws only on this machine)" },
      at(path, "url"),
      url,
      !isHttpUrl(http) || isSecure(http),
    );
  } else {
    report.check({ section, level: "MUST", expected: "an absolute http(s) URL" }, at(path, "url"), url, isHttpUrl(url));
    report.check({ section: "7.1", level: "SHOULD", expected: "https in production (http only on this machine)" }, at(path, "url"), url, isSecure(url));
  }
  checkOptional(report, { section, level: "MUST", expected: "text" }, at(path, "tenant"), tenant, (value) => typeof value === "string");
}

/** 8.4.2: a JWS in JSON form whose protected header names the algorithm and the key. */
function checkSignature(report: Report, path: string, entry: Json): void {
  const signature = isObject(entry) ? entry : {};
  for (const name of ["protected", "signature"]) {
    const value = signature[name];
    report.check({ section: "8.4.2", level: "MUST", expected: "base64url" }, at(path, name), value, isText(value) && /^[A-Za-z0-9_-]+$/.test(value));
  }
  const header = decodeHeader(signature["protected"]);
  const inner = at(path, "protected");
  report.check(
    { section: "8.4.2", level: "MUST", expected: "a signature algorithm" },
    at(inner, "alg"),
    header["alg"],
    isText(header["alg"]) && header["alg"] !== "none",
  );
  report.check({ section: "8.4.2", level: "MUST", expected: "a key id" }, at(inner, "kid"), header["kid"], isText(header["kid"]));
  report.check({ section: "8.4.2", level: "SHOULD", expected: '"JOSE"' }, at(inner, "typ"), header["typ"], header["typ"] === "JOSE");
}

/** 5.5: ProtoJSON. Names are camelCase, and what is not set is left out, not null. */
function checkForm(report: Report, card: JsonObject): void {
  const snake = namesOf(card).filter((name) => /^[a-z]+(_[a-z0-9]+)+$/.test(name));
  report.check({ section: "5.5", level: "MUST", expected: "camelCase names" }, "names", snake, snake.length === 0);
  const nulls = Object.keys(card).filter((name) => card[name] === null);
  report.check({ section: "5.7", level: "SHOULD", expected: "absent members left out, not null" }, "null members", nulls, nulls.length === 0);
}

/** All member names, but not those inside of free content. */
function namesOf(value: Json, isFree = false): readonly string[] {
  if (isList(value)) return value.flatMap((entry) => namesOf(entry));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => [
    ...(isFree ? [] : [name]),
    ...(name === "params" || name === "header" ? [] : namesOf(inner, name === "securitySchemes" || name === "schemes" || name === "scopes")),
  ]);
}

function isSecure(url: Json | undefined): boolean {
  if (!isText(url) || !URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || hostname === "localhost" || hostname === "[::1]" || hostname.startsWith("127.");
}

function decodeHeader(value: Json | undefined): JsonObject {
  try {
    const header: unknown = JSON.parse(Buffer.from(isText(value) ? value : "", "base64url").toString());
    return isObject(header) ? header : {};
  } catch {
    return {};
  }
}
