import { IasError } from "../model/errors.ts";
import { resolveThresholds } from "../liveness/thresholds.ts";
import type { Agent, AgentOptions, Skill } from "./agent.ts";

/** First segments of the server's own URLs, which no agent can be called (SEMANTICS 25). */
const RESERVED_AGENT_IDS: readonly string[] = ["a2a", "api", "agui", "ai", "v1", ".well-known", "healthz", "readyz", "metrics", "assets"];

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;

const DEFAULTS = {
  version: "1.0.0",
  inputModes: ["text/plain", "application/json"],
  outputModes: ["text/plain", "application/json"],
  replies: "task",
  onInput: "queue",
  onCrash: "safe",
  liveness: { onStall: "report" },
  expose: { reasoning: false, toolArguments: false },
  maxArtifactBytes: { limit: 64 * 1024 * 1024, policy: "fail" },
  streaming: true,
  pushNotifications: true,
  extensions: [],
} as const satisfies Partial<Agent>;

const CHOICES = {
  replies: ["task", "message", "either"],
  onInput: ["queue", "interrupt", "reject"],
  onCrash: ["safe", "restart", "fail"],
} as const;

const OTHERS = ["id", "name", "description", "engine", "owner", "skills", "provider", "documentationUrl", "iconUrl", "extendedCard"];
const KNOWN: ReadonlySet<string> = new Set([...OTHERS, ...Object.keys(DEFAULTS)]);

/**
 * An agent to serve: `id` and `engine`, and defaults for the rest: `name` is the id; one skill that says what the description says;
 * in what the engine takes (`Engine.inputModes`, else text and JSON), out text and JSON; a task per message; input to a working task queues; a crash repeats a turn only when that is safe;
 * reasoning and tool arguments stay internal; artifacts of at most 64 MiB.
 *
 * `inputModes` names what parts may be: media types or wildcards such as "image/*". The card shows them, and a message with a part of any other
 * is refused with `content-type-not-supported` before the engine sees it. Text that is text/plain and data that is application/json, as both are when they name no type, are always taken.
 *
 * @throws IasError `configuration`, naming the option, what it was and what is right.
 */
export function defineAgent(options: AgentOptions): Agent {
  check(options);
  const name = options.name ?? options.id;
  const description = options.description ?? `The agent ${name}.`;
  const skills: readonly Skill[] = options.skills ?? [{ id: options.id, name, description, tags: ["chat"] }];
  const inputModes = options.engine.inputModes ?? DEFAULTS.inputModes;
  return Object.freeze({ ...DEFAULTS, inputModes, name, description, skills, ...withoutUndefined(options) });
}

function check(options: AgentOptions): void {
  const { id } = options;
  if (typeof id !== "string" || !ID.test(id)) {
    throw wrong(`id ${show(id)} does not fit: 1 to 64 characters of a-z, 0-9, ".", "_" and "-", the first a letter or digit`);
  }
  const at = (text: string): IasError => wrong(text, id);
  if (RESERVED_AGENT_IDS.includes(id)) throw at(`this id is the server's own; reserved are ${RESERVED_AGENT_IDS.join(", ")}`);
  if (typeof options.engine?.run !== "function")
    throw at("engine must be an Engine, an object with run(turn, { signal }), such as openaiAgents(…) or scripted(…)");
  const unknown = Object.keys(options).filter((key) => !KNOWN.has(key));
  if (unknown.length > 0) throw at(`unknown option ${unknown.map(show).join(", ")}; known are ${[...KNOWN].sort().join(", ")}`);
  for (const [key, choices] of Object.entries(CHOICES) as readonly (readonly [keyof typeof CHOICES, readonly string[]])[]) {
    const value = options[key];
    if (value !== undefined && !choices.includes(value)) throw at(`${key} is ${show(value)}; it can be ${choices.map(show).join(", ")}`);
  }
  const { owner } = options;
  if (owner !== undefined && (typeof owner?.tenant !== "string" || typeof owner.user !== "string"))
    throw at(`owner is ${show(owner)}; it must be { tenant, user }, two texts`);
  if (options.liveness !== undefined) checkLiveness(options.liveness, at);
  for (const key of ["name", "description", "version"] as const) {
    const value = options[key];
    if (value !== undefined && (typeof value !== "string" || value.trim() === "")) throw at(`${key} must be a text that is not empty`);
  }
  for (const key of ["inputModes", "outputModes"] as const) {
    const modes = options[key] ?? (key === "inputModes" ? options.engine.inputModes : undefined);
    const bad = modes?.find((mode) => !/^[^\s/]+\/[^\s/]+$/.test(mode));
    if (bad !== undefined) throw at(`${key} holds ${show(bad)}, which is no media type such as "text/plain"`);
  }
  const ids = (options.skills ?? []).map((skill) => skill.id);
  const twice = ids.find((skill, index) => skill === "" || ids.indexOf(skill) !== index);
  if (twice !== undefined) throw at(`skills need ids that are not empty and differ; ${show(twice)} does not`);
  const bytes = options.maxArtifactBytes?.limit;
  if (bytes !== undefined && (!Number.isSafeInteger(bytes) || bytes < 1))
    throw at(`maxArtifactBytes.limit is ${show(bytes)}; it must be a whole number of bytes, at least 1`);
}

function checkLiveness(liveness: Agent["liveness"], at: (text: string) => IasError): void {
  const { thresholds, onStall, ...others } = liveness;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw at(`liveness has no ${show(unknown)}; it has thresholds and onStall`);
  if (onStall !== "report" && onStall !== "abort") throw at(`liveness.onStall is ${show(onStall)}; it can be "report", "abort"`);
  try {
    resolveThresholds(thresholds);
  } catch (error) {
    throw at(`liveness.thresholds: ${IasError.from(error).message.replace(/\.$/, "")}`);
  }
}

function wrong(text: string, id?: string): IasError {
  return new IasError("configuration", `${id === undefined ? "An agent" : `Agent "${id}"`} cannot be defined: ${text}.`);
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as T;
}
