import type { Operations } from "../a2a/operations.ts";
import type { Agent } from "../engine/agent.ts";
import type { Store } from "../log/store.ts";
import type { Media } from "../media/media.ts";
import type { ReaderInfo } from "../model/api.ts";
import type { Audience } from "../model/entry.ts";
import type { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { TaskSearch } from "../search/search.ts";
import type { TaskViews } from "../task/view.ts";

/** What endpoints, sockets and bridges stand on: the operations for all that acts, the log for all that reads. */
export interface ApiParts {
  readonly operations: Operations;
  readonly store: Store;
  readonly views: TaskViews;
  readonly media: Media;
  /** The server's agents; remote ones that were added come and go. */
  readonly agents: ReadonlyMap<string, Agent>;
  readonly limits: Limits;
  readonly readers: ReaderRegistry;
  /** Absent: `q` of `GET /api/tasks` is refused. */
  readonly search?: TaskSearch;
  readonly now: () => number;
  readonly report: (error: IasError) => void;
}

/** Who reads which stream, in this process. */
export interface ReaderRegistry {
  /** A place for one more stream of a caller, until it is disposed. Throws `limit-reached` (retryable) when there are `maxReaders`, or `maxReadersPerUser` of the caller's. To be asked before a stream is opened. */
  admit(principal: Principal): Disposable;
  /** Enters a reader. `at` is asked only when somebody looks. */
  enter(reader: { readonly key: StreamKey; readonly transport: ReaderInfo["transport"]; readonly audience: Audience; readonly at: () => number }): Disposable;
  /** The readers of the caller's streams, of one task if it is given. */
  list(principal: Principal, task?: string): readonly (Omit<ReaderInfo, "lag"> & { readonly key: StreamKey })[];
}
