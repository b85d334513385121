import { MAX_STATE_LENGTH, type ResumeState } from "../log/log.ts";
import type { Artifact, Part } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { AgentEvent, Approval, Usage } from "./engine.ts";
import { count, flag, json, jsonObject, list, maybe, type Members, members, nameOf, oneOf, word, words, Wrong, wrong } from "./event-values.ts";

/**
 * What an engine yielded, as an event that can be written: authors in plain JavaScript have no compiler that checks theirs. Gives the event with members that it may have,
 * its data copied, so that nobody changes it afterwards; a piece of text, which nearly all are, as it is. `nth` counts the turn's events, from 1.
 * @throws IasError `engine-failed`, reason EVENT_INVALID: names the member, what it is, and what is right. Values are not shown, since readers see the message.
 */
export function toEvent(given: unknown, nth: number): AgentEvent {
  if (isPlainText(given)) return given;
  try {
    return read(given);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new IasError("engine-failed", `Event ${nth} of the agent in this turn is wrong: ${error.message}`, { reason: "EVENT_INVALID" });
  }
}

/** Two checks and three absences for what comes with each token. */
function isPlainText(given: unknown): given is AgentEvent & { readonly kind: "text" } {
  const { kind, text, artifact, name, path } = (given ?? NOTHING) as Readonly<Record<string, unknown>>;
  return kind === "text" && typeof text === "string" && artifact === undefined && name === undefined && path === undefined;
}

const NOTHING = {};

/** An example of each kind, for the message. */
const RIGHT: { readonly [K in AgentEvent["kind"]]: string } = {
  text: '{ kind: "text", text: "Hello" }',
  artifact: '{ kind: "artifact", artifact: { artifactId: "report", parts: [{ text: "Hello" }] } }',
  status: '{ kind: "status", message: [{ text: "Looking it up" }] }',
  reasoning: '{ kind: "reasoning", text: "So" }',
  "tool-call": '{ kind: "tool-call", call: "1", name: "search", arguments: "{}" }',
  "tool-result": '{ kind: "tool-result", call: "1", name: "search", output: "found" }',
  delegation: '{ kind: "delegation", from: "a", to: "b", via: "tool" }',
  usage: '{ kind: "usage", usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } }',
  note: '{ kind: "note", name: "plan", value: { steps: 3 } }',
  liveness: '{ kind: "liveness", signal: { kind: "bytes" } }',
  checkpoint: '{ kind: "checkpoint", state: { version: "mine/1", data: "…" } }',
  interrupt: '{ kind: "interrupt", reason: "input", message: [{ text: "Which one?" }] }',
  reply: '{ kind: "reply", parts: [{ text: "Hello" }] }',
  end: '{ kind: "end", outcome: "completed" }',
};

function read(given: unknown): AgentEvent {
  if (typeof given !== "object" || given === null) throw new Wrong(`it is ${nameOf(given)}. Right is an object such as ${RIGHT.text}.`);
  const event = given as Members;
  const kind = event["kind"];
  if (typeof kind !== "string" || !Object.hasOwn(RIGHT, kind)) {
    const said = typeof kind === "string" ? JSON.stringify(kind.slice(0, 40)) : nameOf(kind);
    throw new Wrong(`its kind is ${said}. Right is one of ${Object.keys(RIGHT).join(", ")}, such as ${RIGHT.text}.`);
  }
  const known = kind as AgentEvent["kind"];
  try {
    return readKind(known, event);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new Wrong(`${known}.${error.message} (it has ${Object.keys(event).join(", ").slice(0, 200)}). Right is ${RIGHT[known]}.`);
  }
}

function readKind(kind: AgentEvent["kind"], event: Members): AgentEvent {
  switch (kind) {
    case "text":
      return { kind, text: text(event["text"], "text"), ...maybe(event, "artifact", word), ...maybe(event, "name", word), ...maybe(event, "path", words) };
    case "artifact":
      return {
        kind,
        artifact: artifact(event["artifact"]),
        ...maybe(event, "append", flag),
        ...maybe(event, "lastChunk", flag),
        ...maybe(event, "path", words),
      };
    case "status":
      return { kind, ...maybe(event, "message", message), ...maybe(event, "metadata", jsonObject) };
    case "reasoning":
      return { kind, text: text(event["text"], "text"), ...maybe(event, "path", words) };
    case "tool-call": {
      const { call, name } = toolOf(event);
      return { kind, call, name, arguments: foreign(event, "arguments"), ...maybe(event, "idempotent", flag), ...maybe(event, "path", words) };
    }
    case "tool-result": {
      const { call, name } = toolOf(event);
      return { kind, call, name, output: foreign(event, "output"), ...maybe(event, "failed", flag), ...maybe(event, "path", words) };
    }
    case "delegation": {
      const [from, to] = [word(event["from"], "from"), word(event["to"], "to")];
      const via = oneOf(event["via"], "via", ["handoff", "tool", "a2a"]);
      return { kind, from, to, via, ...maybe(event, "task", word), ...maybe(event, "path", words) };
    }
    case "usage":
      return { kind, usage: usage(event["usage"]), ...maybe(event, "path", words) };
    case "note":
      return { kind, name: word(event["name"], "name"), value: json(event["value"], "value"), ...maybe(event, "path", words) };
    case "liveness":
      return { kind, signal: signal(event["signal"]), ...maybe(event, "path", words) };
    case "checkpoint":
      return { kind, state: state(event["state"], "state") };
    case "interrupt":
      return {
        kind,
        reason: oneOf(event["reason"], "reason", ["input", "auth"]),
        ...maybe(event, "message", message),
        ...maybe(event, "approvals", approvals),
        ...maybe(event, "state", state),
      };
    case "reply":
      return { kind, parts: message(event["parts"], "parts"), ...maybe(event, "metadata", jsonObject) };
    case "end":
      return {
        kind,
        outcome: oneOf(event["outcome"], "outcome", ["completed", "failed", "rejected"]),
        ...maybe(event, "message", message),
        ...maybe(event, "metadata", jsonObject),
      };
  }
}

/** A piece of text, which may begin or end in half a character: the rest is in the piece beside it. */
function text(value: unknown, at: string): string {
  return typeof value === "string" ? value : wrong(at, value, "a text");
}

/** A model's or a tool's own words: cut anywhere, half a character is replaced. */
function foreign(event: Members, at: string): string {
  const value = event[at];
  if (typeof value === "string") return value.toWellFormed();
  return wrong(at, value, at === "arguments" ? "JSON text: JSON.stringify(arguments)" : "a text: JSON.stringify(output) where it is not");
}

function toolOf(event: Members, at = ""): { readonly call: string; readonly name: string } {
  return { call: word(event["call"], `${at}call`), name: word(event["name"], `${at}name`) };
}

function artifact(value: unknown): Artifact {
  const given = members(value, "artifact", "an object with artifactId and parts");
  const id = word(given["artifactId"], "artifact.artifactId");
  if (id === "") throw new Wrong("artifact.artifactId is empty, and must name the artifact");
  return {
    artifactId: id,
    parts: parts(given["parts"], "artifact.parts", "pieces"),
    ...maybe(given, "name", (each) => word(each, "artifact.name")),
    ...maybe(given, "description", (each) => word(each, "artifact.description")),
    ...maybe(given, "metadata", (each) => jsonObject(each, "artifact.metadata")),
    ...maybe(given, "extensions", (each) => words(each, "artifact.extensions")),
  };
}

function message(value: unknown, at: string): readonly Part[] {
  return parts(value, at, "whole");
}

/** `pieces`: texts may begin and end in half a character. */
function parts(value: unknown, at: string, texts: "whole" | "pieces"): readonly Part[] {
  return list(value, at, 'a list of parts, such as [{ text: "Hello" }]').map((each, index) => part(each, `${at}[${index}]`, texts));
}

const CONTENTS = ["text", "raw", "url", "data"] as const;

function part(value: unknown, at: string, texts: "whole" | "pieces"): Part {
  const given = members(value, at, 'a part, such as { text: "Hello" }');
  const [content, ...others] = CONTENTS.filter((name) => given[name] !== undefined);
  if (content === undefined || others.length > 0) {
    throw new Wrong(
      `${at} has ${content === undefined ? "no content" : [content, ...others].join(" and ")}, and must have exactly one of ${CONTENTS.join(", ")}`,
    );
  }
  const about = {
    ...maybe(given, "metadata", (each) => jsonObject(each, `${at}.metadata`)),
    ...maybe(given, "filename", (each) => word(each, `${at}.filename`)),
    ...maybe(given, "mediaType", (each) => word(each, `${at}.mediaType`)),
  };
  const held = given[content];
  switch (content) {
    case "data":
      return { data: json(held, `${at}.data`), ...about };
    case "raw":
      return { raw: typeof held === "string" ? held : wrong(`${at}.raw`, held, 'base64 text: Buffer.from(bytes).toString("base64")'), ...about };
    case "url":
      return { url: word(held, `${at}.url`), ...about };
    case "text":
      return { text: texts === "whole" ? word(held, `${at}.text`) : text(held, `${at}.text`), ...about };
  }
}

function approvals(value: unknown, at: string): readonly Approval[] {
  return list(value, at, "a list of calls that wait, [{ call, name, arguments }]").map((each, index) => {
    const given = members(each, `${at}[${index}]`, "a call that waits, { call, name, arguments }");
    return { ...toolOf(given, `${at}[${index}].`), arguments: foreign(given, "arguments") };
  });
}

function usage(value: unknown): Usage {
  const given = jsonObject(value, "usage");
  for (const name of ["inputTokens", "outputTokens", "totalTokens"]) count(given[name], `usage.${name}`);
  for (const name of ["cachedInputTokens", "reasoningTokens"]) maybe(given, name, (each) => count(each, `usage.${name}`));
  maybe(given, "model", (each) => word(each, "usage.model"));
  return given as unknown as Usage;
}

const SIGNALS = [
  "queued",
  "connecting",
  "working",
  "bytes",
  "content",
  "usage",
  "tool-start",
  "tool-progress",
  "tool-end",
  "child",
  "wait",
  "retry-wait",
  "throttled",
  "unthrottled",
  "ended",
] as const satisfies readonly LivenessKind[];

type LivenessEvent = Extract<AgentEvent, { kind: "liveness" }>;
type LivenessKind = LivenessEvent["signal"]["kind"];

function signal(value: unknown): LivenessEvent["signal"] {
  const given = members(value, "signal", 'a signal, such as { kind: "bytes" }');
  const kind = oneOf(given["kind"], "signal.kind", SIGNALS);
  const number = (name: string): Members => maybe(given, name, (each) => count(each, `signal.${name}`));
  switch (kind) {
    case "content":
      return { kind, ...number("tokens"), ...number("contents") };
    case "usage":
      return { kind, outputTokens: count(given["outputTokens"], "signal.outputTokens") };
    case "tool-start":
    case "tool-end":
      return { kind, call: word(given["call"], "signal.call") };
    case "retry-wait":
      return { kind, ...number("forMs") };
    default:
      return { kind };
  }
}

function state(value: unknown, at: string): ResumeState {
  const given = members(value, at, "a state of two texts, { version, data }");
  const [version, data] = [word(given["version"], `${at}.version`), given["data"]];
  if (typeof data !== "string") return wrong(`${at}.data`, data, "a text: JSON.stringify(state)");
  const length = version.length + data.length;
  if (length <= MAX_STATE_LENGTH) return { version, data };
  throw new Wrong(`${at} has ${length} characters, and may have ${MAX_STATE_LENGTH}: put what is long into an artifact, and its id into the state`);
}
