import { z } from "zod";
import type { Json, JsonObject, Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { Campaign, Green } from "./campaign.ts";
import { explain } from "./explain.ts";
import { show } from "./file-schema.ts";
import { readJson } from "./json-text.ts";
import { readCampaign } from "./read-campaign.ts";

/** What a green agent is asked for, in AgentBeats' form. */
export interface AssessmentRequest {
  /** Agents' URLs by role. */
  readonly participants: Readonly<Record<string, string>>;
  readonly config: JsonObject;
}

const requestSchema = z.object({
  participants: z.record(z.string().min(1), z.url({ protocol: /^https?$/ })).refine((one) => Object.keys(one).length > 0),
  config: z.record(z.string(), z.json()).optional(),
});

const RIGHT = `{"participants": {"<role>": "<url>"}, "config": {…}}`;

/** The assessment of a message: its text is JSON (AgentBeats' clients send it so), or a data part has it. Throws `invalid-params`. */
export function readAssessment(messages: readonly Message[]): AssessmentRequest {
  const parts = messages.flatMap((message) => message.parts);
  const text = parts.map((part) => part.text ?? "").join("");
  const value: Json | undefined = parts.find(({ data }) => data !== undefined)?.data ?? readJson(text);
  if (value === undefined) throw new IasError("invalid-params", `The message is not an assessment; right is the JSON text ${RIGHT}.`);
  const parsed = requestSchema.safeParse(value, { reportInput: true });
  if (parsed.success) return { participants: parsed.data.participants, config: parsed.data.config ?? {} };
  const told = explain(parsed.error).map(({ field, what }) => `${field === "" ? "the whole" : field}: ${what}`);
  throw new IasError("invalid-params", `The assessment does not fit ${RIGHT}: ${told.join("; ")}.`);
}

/** Members of an assessment's config; they go before the green agent's own campaign. */
const MEMBERS = ["item", "items", "green", "repeat", "concurrency", "seed", "passThreshold"] as const;

/** Scorers that whoever calls may choose: they run no code of this machine, and send nothing to others. */
const OPEN_GREENS: ReadonlySet<Green["kind"]> = new Set(["exact", "contains", "regex", "json-schema"]);

/**
 * The campaign of an assessment: its participants are the subjects; items, scorer and the rest come from the config, else from the green agent's own campaign. Throws `invalid-params`
 * for a config that does not fit, or that names a scorer which only the operator may.
 */
export function campaignOf({ participants, config }: AssessmentRequest, base: Campaign | undefined): Campaign {
  const unknown = Object.keys(config).filter((name) => !(MEMBERS as readonly string[]).includes(name));
  if (unknown.length > 0) throw refused(`the config has ${unknown.map(show).join(", ")}; it may have ${MEMBERS.join(", ")}`);
  const items = config["items"] ?? (config["item"] === undefined ? base?.items : [config["item"]]);
  if (items === undefined || typeof items === "string") throw refused("the config has no items: a list of prompts, or of { prompt, expected }");
  const { green = base?.green, repeat = base?.repeat, concurrency = base?.concurrency, seed = base?.seed, passThreshold = base?.passThreshold } = config;
  const subjects = Object.entries(participants).map(([id, url]) => ({ id, url }));
  const file = { name: "assessment", items, subjects, green, repeat, concurrency, seed, passThreshold };
  let campaign: Campaign;
  try {
    campaign = readCampaign(JSON.stringify(file), { path: "The assessment", readFile: () => "" });
  } catch (error) {
    throw refused(IasError.from(error).message.replace(/\bline \d+: /g, ""), error);
  }
  const given: readonly (Green | undefined)[] = [
    ...(config["green"] === undefined ? [] : [campaign.green]),
    ...(items === base?.items ? [] : campaign.items.map((item) => item.green)),
  ];
  const closed = given.find((one) => one !== undefined && !OPEN_GREENS.has(one.kind));
  if (closed !== undefined)
    throw refused(`a scorer of kind ${closed.kind} must come from the green agent's own campaign; the config may have ${[...OPEN_GREENS].join(", ")}`);
  if (base === undefined) return campaign;
  // A target counts battles over all subjects of the operator's campaign; here each participant gets all items.
  const { target: _target, passThreshold: _share, seed: _seed, ...kept } = base;
  const { items: asked, subjects: players, green: scorer, ...own } = campaign;
  return {
    ...kept,
    name: own.name,
    items: asked,
    subjects: players,
    green: scorer,
    repeat: own.repeat,
    concurrency: own.concurrency,
    ...(own.passThreshold !== undefined && { passThreshold: own.passThreshold }),
    ...(own.seed !== undefined && { seed: own.seed }),
  };
}

function refused(why: string, cause?: unknown): IasError {
  return new IasError("invalid-params", `The assessment is refused: ${why}.`, cause === undefined ? {} : { cause });
}
