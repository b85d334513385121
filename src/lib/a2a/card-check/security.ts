import type { Json, JsonObject } from "../../model/a2a.ts";
import { isObject } from "../../model/json.ts";
import { at, checkOptional, checkTexts, isHttpUrl, isList, isText, type Report } from "./report.ts";

const FLOWS_1_0: Readonly<Record<string, readonly string[]>> = {
  authorizationCode: ["authorizationUrl", "tokenUrl"],
  clientCredentials: ["tokenUrl"],
  implicit: ["authorizationUrl"],
  password: ["tokenUrl"],
  deviceCode: ["deviceAuthorizationUrl", "tokenUrl"],
};

/** 1.0 (4.5): each scheme has the one member that names its kind; requirements name declared schemes. */
export function checkSecurity1(report: Report, card: JsonObject): void {
  const schemes = checkSchemes(report, "4.5.1", card["securitySchemes"]);
  for (const [name, scheme] of Object.entries(schemes)) checkScheme1(report, `securitySchemes.${name}`, scheme);
  checkRequirements(report, "4.4.1", "securityRequirements", card["securityRequirements"], schemes, (entry) =>
    isObject(entry["schemes"]) ? entry["schemes"] : {},
  );
}

/** 0.3 (5.5.3): schemes are OpenAPI 3.0 security schemes, told apart by `type`. */
export function checkSecurity03(report: Report, card: JsonObject): void {
  const schemes = checkSchemes(report, "5.5.3", card["securitySchemes"]);
  for (const [name, scheme] of Object.entries(schemes)) {
    const path = `securitySchemes.${name}`;
    const type = isObject(scheme) ? scheme["type"] : undefined;
    const known = ["apiKey", "http", "oauth2", "openIdConnect", "mutualTLS"];
    report.check({ section: "5.5.3", level: "MUST", expected: `one of ${known.join(", ")}` }, at(path, "type"), type, isText(type) && known.includes(type));
    if (!isObject(scheme)) continue;
    if (type === "apiKey") {
      checkTexts(report, "5.5.3", path, scheme, ["name"]);
      report.check({ section: "5.5.3", level: "MUST", expected: "query, header or cookie" }, at(path, "in"), scheme["in"], isLocation(scheme["in"]));
    }
    if (type === "http") checkTexts(report, "5.5.3", path, scheme, ["scheme"]);
    if (type === "openIdConnect") checkTexts(report, "5.5.3", path, scheme, ["openIdConnectUrl"]);
    if (type === "oauth2")
      report.check({ section: "5.5.3", level: "MUST", expected: "an object of flows" }, at(path, "flows"), scheme["flows"], isObject(scheme["flows"]));
  }
  checkRequirements(report, "5.5", "security", card["security"], schemes, (entry) => entry);
}

function checkSchemes(report: Report, section: string, value: Json | undefined): JsonObject {
  checkOptional(report, { section, level: "MUST", expected: "an object of schemes by name" }, "securitySchemes", value, isObject);
  return isObject(value) ? value : {};
}

function checkScheme1(report: Report, path: string, scheme: Json): void {
  const kinds = ["apiKeySecurityScheme", "httpAuthSecurityScheme", "oauth2SecurityScheme", "openIdConnectSecurityScheme", "mtlsSecurityScheme"];
  const present = isObject(scheme) ? kinds.filter((kind) => scheme[kind] !== undefined) : [];
  report.check({ section: "4.5.1", level: "MUST", expected: `exactly one of ${kinds.join(", ")}` }, path, scheme, present.length === 1);
  const [kind] = present;
  const value = isObject(scheme) && kind !== undefined ? scheme[kind] : undefined;
  if (!isObject(value)) return;
  const inner = at(path, kind ?? "");
  switch (kind) {
    case "apiKeySecurityScheme":
      checkTexts(report, "4.5.2", inner, value, ["name"]);
      report.check(
        { section: "4.5.2", level: "MUST", expected: "query, header or cookie" },
        at(inner, "location"),
        value["location"],
        isLocation(value["location"]),
      );
      break;
    case "httpAuthSecurityScheme":
      checkTexts(report, "4.5.3", inner, value, ["scheme"]);
      break;
    case "oauth2SecurityScheme":
      checkFlows(report, at(inner, "flows"), value["flows"]);
      break;
    case "openIdConnectSecurityScheme":
      report.check(
        { section: "4.5.5", level: "MUST", expected: "an absolute URL" },
        at(inner, "openIdConnectUrl"),
        value["openIdConnectUrl"],
        isHttpUrl(value["openIdConnectUrl"]),
      );
      break;
    default:
      break;
  }
}

function checkFlows(report: Report, path: string, value: Json | undefined): void {
  const present = isObject(value) ? Object.keys(FLOWS_1_0).filter((flow) => value[flow] !== undefined) : [];
  report.check({ section: "4.5.7", level: "MUST", expected: `exactly one of ${Object.keys(FLOWS_1_0).join(", ")}` }, path, value, present.length === 1);
  const [flow] = present;
  const content = isObject(value) && flow !== undefined ? value[flow] : undefined;
  if (flow === undefined || !isObject(content)) return;
  for (const name of FLOWS_1_0[flow] ?? []) {
    report.check({ section: "4.5.7", level: "MUST", expected: "an absolute URL" }, at(at(path, flow), name), content[name], isHttpUrl(content[name]));
  }
  if (flow === "implicit" || flow === "password") {
    report.check({ section: "4.5.7", level: "SHOULD", expected: "authorizationCode or deviceCode: this flow is deprecated" }, at(path, flow), flow, false);
  }
}

function checkRequirements(
  report: Report,
  section: string,
  path: string,
  value: Json | undefined,
  schemes: JsonObject,
  namesOf: (entry: JsonObject) => JsonObject,
): void {
  checkOptional(report, { section, level: "MUST", expected: "a list" }, path, value, isList);
  for (const [index, entry] of (isList(value) ? value : []).entries()) {
    const names = isObject(entry) ? Object.keys(namesOf(entry)) : [];
    report.check(
      { section, level: "MUST", expected: "names of declared securitySchemes" },
      `${path}[${index}]`,
      entry,
      isObject(entry) && names.every((name) => schemes[name] !== undefined),
    );
  }
}

function isLocation(value: Json | undefined): boolean {
  return value === "query" || value === "header" || value === "cookie";
}
