import type { Agent } from "../engine/agent.ts";
import type { Store } from "../log/store.ts";
import type { Media } from "../media/media.ts";
import type { JsonObject } from "../model/a2a.ts";
import type { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TaskViews } from "../task/view.ts";
import type { Call, PushConfig } from "./operations.ts";

/** What the operations are made of. */
export interface ServerParts {
  readonly store: Store;
  readonly views: TaskViews;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly runtime: Runtime;
  readonly media: Media;
  readonly limits: Limits;
  readonly push: PushConfigs;
  readonly cards: Cards;
  readonly owner: string;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly report: (error: IasError, key?: StreamKey) => void;
}

/** Webhooks of tasks (SEMANTICS 20): kept in `Records` under the task's folder; delivery follows the log by itself. */
export interface PushConfigs {
  /** Throws `invalid-params` or `forbidden` for what could never be delivered: before a task is recorded for a request that brings a config. */
  check(config: Partial<Omit<PushConfig, "taskId">>): Promise<void>;
  /** Stores the config (an empty `id` gets one), replacing one of the same id. Called only for agents that send push notifications. */
  create(call: Call, key: StreamKey, config: Omit<PushConfig, "taskId">): Promise<PushConfig>;
  get(key: StreamKey, id: string): Promise<PushConfig | undefined>;
  list(key: StreamKey, options: { readonly after?: string; readonly limit: number }): Promise<readonly PushConfig[]>;
  delete(key: StreamKey, id: string): Promise<void>;
}

/** Agent cards (specification 8) in ProtoJSON. */
export interface Cards {
  /** The public card, in the form of the protocol version that the reader speaks. */
  card(agent: Agent, version: Call["version"]): Promise<JsonObject>;
  /** The extended card for an authenticated caller; throws `unsupported-operation` where the card does not declare one, `extended-card-not-configured` where it is declared only. */
  extended(call: Call): Promise<JsonObject>;
}
