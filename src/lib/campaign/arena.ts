import type { A2AClient } from "../client/client.ts";
import { IasError } from "../model/errors.ts";
import { battleRequest } from "./assessment.ts";
import type { JudgedBy } from "./attempt.ts";
import type { Campaign, Item, Subject } from "./campaign.ts";
import { createEngineWatch, type EngineWatch } from "./engine-watch.ts";
import { judgedBy } from "./report/words.ts";
import type { RunnerParts } from "./runner-parts.ts";

/** What battles share: one client and one engine watch for each agent that is asked. */
export interface Arena extends AsyncDisposable {
  client(subject: Subject, item: Item): Promise<A2AClient>;
  /** The engine behind a subject, where its counters can be read. */
  engine(subject: Subject): Promise<EngineWatch | undefined>;
  /**
   * What a battle is judged by, and why. A mode that is asked for by name is a demand: throws with reason LIVENESS_UNAVAILABLE when the subject does not offer it,
   * `configuration`, or `unavailable` where its counters may be readable later. `auto` takes the best that there is.
   */
  choose(subject: Subject, client: A2AClient): Promise<Choice>;
}

/** A mode, why it is this one, and whether silence of the stream counts from the start. */
export interface Choice {
  readonly mode: JudgedBy;
  readonly why: string;
  readonly trusted: boolean;
}

/** The arena of a campaign. */
export function createArena(campaign: Campaign, parts: RunnerParts): Arena {
  const clients = new Map<string, Promise<A2AClient>>();
  const engines = new Map<string, EngineWatch>();
  const readable = new Set<string>();
  const told = new Set<string>();

  /** Says once of each subject by what it is judged, and again when that changes. */
  function tell({ id: subject }: Subject, choice: Choice): Choice {
    const { mode, why } = choice;
    const key = JSON.stringify([subject, mode, why]);
    if (!told.has(key)) parts.onProgress({ kind: "liveness", subject, mode, why });
    told.add(key);
    return choice;
  }

  const request = (subject: Subject, item: Item): ReturnType<typeof battleRequest> => battleRequest(item.green ?? campaign.green, subject, item);

  async function engineOf({ metricsUrl, metricsHeadersFromEnv = {} }: Subject): Promise<EngineWatch | undefined> {
    if (metricsUrl === undefined) return undefined;
    const { fetch, clock, monotonic } = parts;
    const options = { url: metricsUrl, headers: headersOf(metricsHeadersFromEnv, parts.env), fetch, intervalMs: campaign.metricsIntervalMs, clock, monotonic };
    // One watch for an engine, whoever's headers opened it: battles of several subjects explain each other's silence.
    const engine = engines.get(metricsUrl) ?? createEngineWatch(options);
    engines.set(metricsUrl, engine);
    if (!readable.has(metricsUrl) && (await engine.probe())) readable.add(metricsUrl);
    return readable.has(metricsUrl) ? engine : undefined;
  }

  async function choiceOf(subject: Subject, client: A2AClient): Promise<Choice> {
    const wished = subject.liveness ?? campaign.liveness;
    const { streaming } = client.card;
    const none = subject.metricsUrl === undefined ? "no metricsUrl is known" : `${subject.metricsUrl} cannot be read`;
    if (wished === "timeout") return { mode: "timeout", why: "asked for", trusted: false };
    if (wished === "stream") {
      if (streaming) return { mode: "stream", why: "asked for", trusted: true };
      throw notOffered(subject.id, "stream", `the card of ${client.card.name.slice(0, 100)} has no capabilities.streaming`);
    }
    const engine = await engineOf(subject);
    if (wished === "metrics") {
      if (engine !== undefined) return { mode: "metrics", why: "asked for", trusted: false };
      throw notOffered(subject.id, "metrics", none, subject.metricsUrl === undefined ? "configuration" : "unavailable");
    }
    if (client.hasCursors && streaming) return { mode: "stream", why: "the agent speaks our extension", trusted: true };
    const meanwhile = engine === undefined ? `the time-out judges, as ${none}` : "its engine's counters judge";
    if (streaming) {
      const why = `the agent's card says that it streams; until it has sent content piece by piece, ${meanwhile}`;
      return { mode: "stream", why, trusted: false };
    }
    if (engine !== undefined) return { mode: "metrics", why: "the agent does not stream; its engine's counters can be read", trusted: false };
    return { mode: "timeout", why: `the agent does not stream, and ${none}`, trusted: false };
  }

  return {
    client(subject, item) {
      const { url, headersFromEnv } = request(subject, item);
      const key = `${url} ${JSON.stringify(headersFromEnv)}`;
      const known = clients.get(key);
      if (known !== undefined) return known;
      const made = Promise.resolve().then(() => parts.connect(url, headersOf(headersFromEnv, parts.env)));
      clients.set(key, made);
      // The next attempt tries anew.
      made.catch(() => clients.delete(key));
      return made;
    },
    engine: engineOf,
    choose: async (subject, client) => tell(subject, await choiceOf(subject, client)),
    async [Symbol.asyncDispose]() {
      const made = await Promise.allSettled(clients.values());
      await Promise.allSettled(made.map(async (each) => (each.status === "fulfilled" ? each.value[Symbol.asyncDispose]() : undefined)));
    },
  };
}

/** A demand that a subject cannot meet; `unavailable` where it may later, as a server that starts. */
export function notOffered(subject: string, mode: "stream" | "metrics", why: string, code: "configuration" | "unavailable" = "configuration"): IasError {
  const message = `${subject} cannot be judged by ${judgedBy(mode)}, as \`liveness: ${mode}\` demands: ${why}. Ask for \`auto\`, which takes the best that there is and says which, or for \`timeout\`.`;
  return new IasError(code, message, { reason: "LIVENESS_UNAVAILABLE", retryable: code === "unavailable" });
}

/** Secrets are references: the values come from the environment. Throws `configuration` for one that is not set. */
export function headersOf(names: Readonly<Record<string, string>>, env: RunnerParts["env"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(names).map(([header, name]) => {
      const value = env[name];
      if (value === undefined) throw new IasError("configuration", `The environment variable ${name} is not set; the header ${header} needs it.`);
      return [header, value];
    }),
  );
}
