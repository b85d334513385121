import type { Json, JsonObject } from "../../model/a2a.ts";
import { isObject } from "../../model/json.ts";
import { at, checkOptional, checkTexts, isHttpUrl, isList, isMediaType, isText, type Report } from "./report.ts";

/** What A2A 1.0 and 0.3 ask of a card alike. `section` is that of the version's AgentCard. */
export function checkCommon(
  report: Report,
  card: JsonObject,
  sections: { readonly card: string; readonly skill: string; readonly capabilities: string; readonly provider: string },
): void {
  checkTexts(report, sections.card, "", card, ["name", "description", "version"]);
  for (const name of ["defaultInputModes", "defaultOutputModes"]) checkModes(report, sections.card, name, card[name], true);
  checkCapabilities(report, sections.capabilities, card["capabilities"]);
  checkSkills(report, sections.skill, card["skills"]);
  checkOptional(report, { section: sections.card, level: "MUST", expected: "an object with organization and url" }, "provider", card["provider"], isObject);
  if (isObject(card["provider"])) checkTexts(report, sections.provider, "provider", card["provider"], ["organization", "url"]);
  for (const name of ["documentationUrl", "iconUrl"]) {
    checkOptional(report, { section: sections.card, level: "SHOULD", expected: "an absolute http(s) URL" }, name, card[name], isHttpUrl);
  }
}

function checkModes(report: Report, section: string, path: string, value: Json | undefined, isRequired: boolean): void {
  const isOk = isList(value) && value.length > 0 && value.every(isText);
  if (isRequired) report.check({ section, level: "MUST", expected: "a list of at least one media type" }, path, value, isOk);
  if (isList(value) && value.length > 0)
    report.check({ section, level: "SHOULD", expected: "media types such as text/plain" }, path, value, value.every(isMediaType));
}

function checkCapabilities(report: Report, section: string, value: Json | undefined): void {
  report.check({ section, level: "MUST", expected: "an object" }, "capabilities", value, isObject(value));
  if (!isObject(value)) return;
  for (const name of ["streaming", "pushNotifications", "extendedAgentCard", "stateTransitionHistory"]) {
    checkOptional(report, { section, level: "MUST", expected: "true or false" }, at("capabilities", name), value[name], (flag) => typeof flag === "boolean");
  }
  const { extensions } = value;
  checkOptional(report, { section, level: "MUST", expected: "a list" }, "capabilities.extensions", extensions, isList);
  for (const [index, extension] of (isList(extensions) ? extensions : []).entries()) {
    const path = `capabilities.extensions[${index}]`;
    const uri = isObject(extension) ? extension["uri"] : undefined;
    report.check({ section: "4.6.1", level: "MUST", expected: "an absolute URI" }, at(path, "uri"), uri, isText(uri) && URL.canParse(uri));
    if (!isObject(extension)) continue;
    checkOptional(
      report,
      { section: "4.6.1", level: "MUST", expected: "true or false" },
      at(path, "required"),
      extension["required"],
      (flag) => typeof flag === "boolean",
    );
    checkOptional(report, { section: "4.6.1", level: "MUST", expected: "an object" }, at(path, "params"), extension["params"], isObject);
  }
}

function checkSkills(report: Report, section: string, value: Json | undefined): void {
  report.check({ section, level: "MUST", expected: "a list of at least one skill" }, "skills", value, isList(value) && value.length > 0);
  if (!isList(value)) return;
  const ids = value.map((skill) => (isObject(skill) ? skill["id"] : undefined));
  report.check({ section, level: "MUST", expected: "ids that differ" }, "skills[].id", ids, new Set(ids).size === ids.length);
  for (const [index, skill] of value.entries()) {
    const path = `skills[${index}]`;
    if (!isObject(skill)) {
      report.check({ section, level: "MUST", expected: "an object" }, path, skill, false);
      continue;
    }
    checkTexts(report, section, path, skill, ["id", "name", "description"]);
    const { tags } = skill;
    report.check(
      { section, level: "MUST", expected: "a list of at least one tag" },
      at(path, "tags"),
      tags,
      isList(tags) && tags.length > 0 && tags.every(isText),
    );
    checkOptional(
      report,
      { section, level: "MUST", expected: "a list of texts" },
      at(path, "examples"),
      skill["examples"],
      (list) => isList(list) && list.every((one) => typeof one === "string"),
    );
    for (const name of ["inputModes", "outputModes"]) checkModes(report, section, at(path, name), skill[name], false);
  }
}
