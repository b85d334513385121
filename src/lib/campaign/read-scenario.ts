import { basename, dirname, resolve as resolvePath } from "node:path";
import { parse } from "smol-toml";
import { z } from "zod";
import { IasError } from "../model/errors.ts";
import type { Json, JsonObject } from "../model/a2a.ts";
import type { Campaign } from "./campaign.ts";
import { explain } from "./explain.ts";
import { show } from "./file-schema.ts";
import { readCampaign } from "./read-campaign.ts";

/** What AgentBeats' `scenario.toml` says: one assessment of all participants by one green agent. */
export interface Scenario {
  /** One item that asks nothing, one subject (the first participant), and an `a2a` green which gets the scenario's config as it stands. */
  readonly campaign: Campaign;
  /** Programs to start before, and to stop behind it, the participants first. */
  readonly commands: readonly AgentCommand[];
  /** `agentbeats_id` by role, for AgentBeats' results file. */
  readonly participants: Readonly<Record<string, string>>;
}

/** A program that serves an agent. */
export interface AgentCommand {
  /** The participant's role, or "green_agent". */
  readonly role: string;
  /** Where it will answer. */
  readonly url: string;
  /** Program and arguments; no shell is asked. */
  readonly argv: readonly string[];
}

const agentSchema = z.looseObject({
  role: z.string().min(1).optional(),
  endpoint: z.string().optional(),
  cmd: z.string().optional(),
  image: z.string().optional(),
  agentbeats_id: z.string().optional(),
});
const scenarioSchema = z.looseObject({
  green_agent: agentSchema,
  participants: z.array(agentSchema).min(1),
  config: z.record(z.string(), z.unknown()).optional(),
});

/** Reads a scenario as AgentBeats' own runner does. Throws `configuration` with what was wrong and what is right. */
export function readScenario(text: string, path: string): Scenario {
  const parsed = scenarioSchema.safeParse(parseToml(text, path), { reportInput: true });
  if (!parsed.success) {
    const told = explain(parsed.error).map(({ field, what }) => `\n  ${field === "" ? "the whole" : field}: ${what}.`);
    throw new IasError("configuration", `${path} is not a scenario; right are [green_agent] and [[participants]], each with an endpoint:${told.join("")}`);
  }
  const green = { url: endpointOf(parsed.data.green_agent, "green_agent", path), cmd: parsed.data.green_agent.cmd };
  const players = parsed.data.participants.map((given, at) => {
    const role = given.role;
    if (role === undefined) throw new IasError("configuration", `${path}: participants[${at}] has no role.`);
    return { role, url: endpointOf(given, `participant ${show(role)}`, path), cmd: given.cmd, id: given.agentbeats_id };
  });
  const roles = players.map(({ role }) => role);
  const twice = roles.find((role, at) => roles.indexOf(role) !== at);
  if (twice !== undefined) throw new IasError("configuration", `${path}: two participants have the role ${show(twice)}.`);
  const [first, ...rest] = players;
  if (first === undefined) throw new IasError("configuration", `${path} has no participants.`);
  const others = Object.fromEntries(rest.map(({ role, url }) => [role, url]));
  const campaign = {
    name: nameOf(path),
    items: [{ id: "assessment", prompt: "" }],
    subjects: [{ id: first.role, url: first.url }],
    green: { kind: "a2a", url: green.url, role: first.role, others, config: configOf(parsed.data.config ?? {}) },
    // An assessment's agents start fresh and hold its state, so another one waits.
    concurrency: 1,
  };
  return {
    campaign: readCampaign(JSON.stringify(campaign), { path, readFile: () => "" }),
    commands: [...players, { role: "green_agent", ...green }].flatMap(({ role, url, cmd }) => {
      const argv = splitCommand(cmd ?? "", `${path}: cmd of ${role}`);
      return argv.length === 0 ? [] : [{ role, url, argv }];
    }),
    participants: Object.fromEntries(players.flatMap(({ role, id }) => (id === undefined ? [] : [[role, id]]))),
  };
}

function parseToml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new IasError("configuration", `${path} is not TOML: ${error instanceof Error ? error.message.trimEnd() : String(error)}`, { cause: error });
  }
}

function endpointOf(agent: z.infer<typeof agentSchema>, who: string, path: string): string {
  const { endpoint, image } = agent;
  if (endpoint !== undefined && URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  const docker = image === undefined ? "" : "; its image is for AgentBeats' own runner: start it yourself and give its address";
  throw new IasError("configuration", `${path}: the endpoint of ${who} is ${show(endpoint)}; it must be a URL such as "http://127.0.0.1:9009"${docker}.`);
}

/** TOML's dates go as text: the config is JSON on the wire. */
function configOf(config: Readonly<Record<string, unknown>>): JsonObject {
  return JSON.parse(JSON.stringify(config)) as { readonly [key: string]: Json };
}

/** The scenario's folder: its files are all called the same. */
function nameOf(path: string): string {
  const file = basename(path).replace(/\.toml$/i, "");
  const name = file === "scenario" ? basename(dirname(resolvePath(path))) : file;
  const plain = name.replaceAll(/[^\p{L}\p{N} ._-]+/gu, "-").replace(/^[^\p{L}\p{N}]+/u, "");
  return plain === "" ? "scenario" : plain.slice(0, 100);
}

/** Words of a command line by the rules of a POSIX shell for quotes and backslashes, without expanding anything. Throws `configuration` for a quote that does not end. */
export function splitCommand(line: string, where: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] ?? "";
    if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === quote) quote = undefined;
    else if (quote === undefined && (character === "'" || character === '"')) {
      quote = character;
      word ??= "";
    } else if (character === "\\" && quote !== "'" && (quote === undefined || /["\\$`]/.test(line[at + 1] ?? ""))) {
      at += 1;
      word = (word ?? "") + (line[at] ?? "");
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) throw new IasError("configuration", `${where} has a quote ${quote} that does not end: ${show(line)}.`);
  return word === undefined ? words : [...words, word];
}
