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
  /** Whether `agent` takes webhooks at all; if not, operations answer `push-not-supported` before they ask further. */
  create(call: Call, key: StreamKey, config: Omit<PushConfig, "taskId">): Promise<PushConfig>;
  get(key: StreamKey, id: string): Promise<PushConfig | undefined>;
  list(key: StreamKey, options: { readonly after?: string; readonly limit: number }): Promise<readonly PushConfig[]>;
  delete(key: StreamKey, id: string): Promise<void>;
}

/** Agent cards (specification 8) in ProtoJSON. */
export interface Cards {
  /** The public card; `origin` is the server's own URL where `PUBLIC_URL` is not set. */
  card(agent: Agent, origin: string): Promise<JsonObject>;
  /** The extended card for an authenticated caller; throws `extended-card-not-configured`. */
  extended(call: Call, origin: string): Promise<JsonObject>;
}
