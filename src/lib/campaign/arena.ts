import type { A2AClient } from "../client/client.ts";
import { IasError } from "../model/errors.ts";
import { battleRequest } from "./assessment.ts";
import type { Campaign, Item, Subject } from "./campaign.ts";
import { createEngineWatch, type EngineWatch } from "./engine-watch.ts";
import type { JudgedBy } from "./pulse.ts";
import type { RunnerParts } from "./runner-parts.ts";

/** What battles share: one client and one engine watch for each agent that is asked. */
export interface Arena extends AsyncDisposable {
  client(subject: Subject, item: Item): Promise<A2AClient>;
  /** The engine behind a subject, where its counters can be read. */
  engine(subject: Subject): Promise<EngineWatch | undefined>;
  /** What a battle is judged by, and why. */
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

  const request = (subject: Subject, item: Item): ReturnType<typeof battleRequest> => battleRequest(item.green ?? campaign.green, subject, item);

  async function engineOf({ metricsUrl }: Subject): Promise<EngineWatch | undefined> {
    if (metricsUrl === undefined) return undefined;
    const { fetch, clock, monotonic } = parts;
    const engine = engines.get(metricsUrl) ?? createEngineWatch({ url: metricsUrl, fetch, intervalMs: campaign.metricsIntervalMs, clock, monotonic });
    engines.set(metricsUrl, engine);
    if (!readable.has(metricsUrl) && (await engine.probe())) readable.add(metricsUrl);
    return readable.has(metricsUrl) ? engine : undefined;
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
    async choose(subject, client) {
      const wished = subject.liveness ?? campaign.liveness;
      const engine = wished === "stream" || wished === "timeout" ? undefined : await engineOf(subject);
      const { streaming } = client.card;
      const none = subject.metricsUrl === undefined ? "no metricsUrl is known" : `${subject.metricsUrl} cannot be read`;
      if (wished === "timeout") return { mode: "timeout", why: "asked for", trusted: false };
      if (wished === "metrics" && engine !== undefined) return { mode: "metrics", why: "asked for", trusted: false };
      if (wished === "metrics") return { mode: "timeout", why: `metrics were asked for, but ${none}`, trusted: false };
      if (wished === "stream" && streaming) return { mode: "stream", why: "asked for", trusted: true };
      if (client.hasCursors && streaming) return { mode: "stream", why: "the agent speaks our extension", trusted: true };
      const meanwhile = engine === undefined ? "the time-out judges" : "its engine's counters judge";
      if (streaming) {
        const why = `the agent's card says that it streams; until it has sent content piece by piece, ${meanwhile}`;
        return { mode: "stream", why, trusted: false };
      }
      if (engine !== undefined) return { mode: "metrics", why: "the agent does not stream; its engine's counters can be read", trusted: false };
      return { mode: "timeout", why: `the agent does not stream, and ${none}`, trusted: false };
    },
    async [Symbol.asyncDispose]() {
      const made = await Promise.allSettled(clients.values());
      await Promise.allSettled(made.map(async (each) => (each.status === "fulfilled" ? each.value[Symbol.asyncDispose]() : undefined)));
    },
  };
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
