import "./without-eval.ts";
import { cutText } from "../../../src/lib/model/cut-text.ts";
import { deviationsOf, type Deviation, valueAt } from "../../../src/lib/testing/a2a/shapes.ts";
import type { RuleBreak } from "./stream-rules.ts";

/**
 * The rules of A2A 1.0.1 that an event breaks by itself: the same schemas as the conformance suite's, each deviation with its section. What depends on the events before
 * it is `createStreamRules`. An entry that is right costs about ten microseconds.
 */
export function checkEvent(event: unknown): readonly RuleBreak[] {
  return deviationsOf("StreamResponse", event).flatMap((deviation) => toBreaks(deviation, event));
}

/** What an object is called in the specification, and where it stands, by the name of the member that holds it. */
const OBJECTS: Readonly<Record<string, { readonly name: string; readonly section: string }>> = {
  task: { name: "Task", section: "4.1.1" },
  status: { name: "TaskStatus", section: "4.1.2" },
  message: { name: "Message", section: "4.1.4" },
  history: { name: "Message", section: "4.1.4" },
  parts: { name: "Part", section: "4.1.6" },
  artifact: { name: "Artifact", section: "4.1.7" },
  artifacts: { name: "Artifact", section: "4.1.7" },
  statusUpdate: { name: "TaskStatusUpdateEvent", section: "4.2.1" },
  artifactUpdate: { name: "TaskArtifactUpdateEvent", section: "4.2.2" },
  metadata: { name: "Metadata", section: "3.2.5" },
};
/** Members with a section of their own. */
const MEMBERS: Readonly<Record<string, string>> = { state: "4.1.3", role: "4.1.5", timestamp: "5.6.1", metadata: "3.2.5" };

function toBreaks({ path, code, message, keys }: Deviation, event: unknown): readonly RuleBreak[] {
  const { name, section } = holderOf(path, code);
  const where = path.join(".");
  const member = path.findLast((step) => typeof step === "string") ?? "";
  if (code === "unrecognized_keys") return (keys ?? []).map((key) => unknownMember(name, where, key));
  if (code === "invalid_union") {
    return [
      {
        section: "3.2.3",
        level: "MUST",
        rule: "A stream response holds exactly one of task, message, statusUpdate, artifactUpdate",
        where,
        found: found(event),
      },
    ];
  }
  const value = valueAt(event, path);
  if (code === "missing") return [{ section: "5.7", level: "MUST", rule: `${name} (${section}) requires ${member}`, where, found: "absent" }];
  if (value === null) return [{ section: "5.7", level: "MUST", rule: `${name}.${member}: what is not set is left out, not null`, where, found: "null" }];
  if (code === "too_small")
    return [{ section: "5.7", level: "MUST", rule: `${name}.${member} is required, so it must not be empty`, where, found: found(value) }];
  if (code === "custom") return [{ section, level: "MUST", rule: capital(message), where, found: found(value) }];
  return [{ section: MEMBERS[member] ?? section, level: "MUST", rule: `${name}.${member}: ${message}`, where, found: found(value) }];
}

function unknownMember(name: string, where: string, key: string): RuleBreak {
  const place = where === "" ? key : `${where}.${key}`;
  if (key === "kind")
    return { section: "A.2.1", level: "MUST", rule: "The kind discriminator was removed in 1.0: the member's name says what it is", where: place, found: key };
  if (/^[a-z0-9]+(_[a-z0-9]+)+$/.test(key)) return { section: "5.5", level: "MUST", rule: "Names in JSON are camelCase", where: place, found: key };
  if (key === "final")
    return {
      section: "4.2.1",
      level: "MUST",
      rule: "TaskStatusUpdateEvent has no final since 1.0: a terminal state ends the stream",
      where: place,
      found: key,
    };
  return { section: "5.7", level: "SHOULD", rule: `${name} has no member of this name; what is added belongs into metadata`, where: place, found: key };
}

/** The object in which the deviation is: for an object's own unknown members itself, else what holds the member. */
function holderOf(path: readonly (string | number)[], code: string): { readonly name: string; readonly section: string } {
  const steps = code === "unrecognized_keys" || code === "custom" ? path : path.slice(0, -1);
  const holder = steps.findLast((step) => typeof step === "string" && Object.hasOwn(OBJECTS, step));
  return OBJECTS[String(holder)] ?? { name: "StreamResponse", section: "3.2.3" };
}

function found(value: unknown): string {
  return cutText(JSON.stringify(value) ?? "absent", 80);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
