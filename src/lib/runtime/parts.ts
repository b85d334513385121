import type { Agent } from "../engine/agent.ts";
import type { Store } from "../log/store.ts";
import type { Ticker } from "../liveness/ticker.ts";
import type { Media } from "../media/media.ts";
import type { Message, Task } from "../model/a2a.ts";
import type { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";

/** What a runtime is made of. */
export interface RuntimeParts {
  readonly store: Store;
  readonly agents: ReadonlyMap<string, Agent>;
  readonly limits: Limits;
  readonly media: Media;
  /** ms since the epoch. */
  readonly now: () => number;
  /** The clock of the turns' liveness. Default: one of the runtime's own; a given one stays the caller's. */
  readonly ticker?: Ticker;
  /** Names this process in leases. */
  readonly owner: string;
  /** Hears of each failure that is not the caller's fault. Must not throw. */
  readonly report: (error: IasError, key?: StreamKey) => void;
  /** Messages of the conversation's tasks created before `createdAt`, oldest first. */
  readonly history: (key: StreamKey, context: string, createdAt: number) => Promise<readonly Message[]>;
  /** The tasks that messages refer to, as far as the caller may see them. */
  readonly references: (key: StreamKey, messages: readonly Message[]) => Promise<readonly Task[]>;
}

/** What a turn gets of it. */
export interface TurnParts extends RuntimeParts {
  readonly ticker: Ticker;
}
