import type { JsonObject } from "../../model/a2a.ts";

/** Parameters that not every server takes. */
export interface Features {
  /** `stream_options.include_usage`: counts at the end. */
  readonly usage: boolean;
  /** vLLM's `continuous_usage_stats`: counts on every chunk. */
  readonly continuousUsage: boolean;
  /** vLLM's `return_token_ids`: a chunk for every step of the engine, also where a parser holds text back. */
  readonly tokenIds: boolean;
}

/** What a server takes, learned from its answers and kept for the life of the engine. */
export interface FeatureMemory {
  /** What to ask for. */
  readonly now: Features;
  /** The server took them: no more trying. */
  taken(features: Features): void;
  /** Fewer, after a 400 or 422 that said `text`; undefined when they were not what was wrong. */
  fewer(features: Features, text: string): Features | undefined;
}

/** Starts with everything (`try`), or with what all servers are expected to take. */
export function createFeatureMemory(exactTokens: "try" | "off"): FeatureMemory {
  let now: Features = { usage: true, continuousUsage: exactTokens === "try", tokenIds: exactTokens === "try" };
  let known = false;
  return {
    get now() {
      return now;
    },
    taken(features) {
      now = features;
      known = true;
    },
    fewer(features, text) {
      const named = without(features, text);
      if (named !== undefined) return named;
      // Another turn has found out meanwhile what the server takes.
      if (known) return count(now) < count(features) ? now : undefined;
      // It does not say what it dislikes: first without vLLM's own, then without all.
      if (features.continuousUsage || features.tokenIds) return { ...features, continuousUsage: false, tokenIds: false };
      return features.usage ? { usage: false, continuousUsage: false, tokenIds: false } : undefined;
    },
  };
}

function count({ usage, continuousUsage, tokenIds }: Features): number {
  return Number(usage) + Number(continuousUsage) + Number(tokenIds);
}

/** The members that ask for them. */
export function toParameters({ usage, continuousUsage, tokenIds }: Features): JsonObject {
  return {
    ...(usage && { stream_options: { include_usage: true, ...(continuousUsage && { continuous_usage_stats: true }) } }),
    ...(tokenIds && { return_token_ids: true }),
  };
}

/** Without the parameters that an error names; undefined when it names none of those that were asked for. */
function without(features: Features, text: string): Features | undefined {
  if (features.tokenIds && text.includes("return_token_ids")) return { ...features, tokenIds: false };
  if (features.continuousUsage && text.includes("continuous_usage_stats")) return { ...features, continuousUsage: false };
  if (features.usage && /stream_options|include_usage/.test(text)) return { ...features, usage: false, continuousUsage: false };
  return undefined;
}
