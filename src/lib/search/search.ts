import type { TaskState } from "../model/a2a.ts";
import type { StreamKey } from "../model/key.ts";

/**
 * Full-text search in what was said in tasks: derived from the log, so that it may be thrown away and is made again. Right when both adapters' tests pass.
 *
 * MUST: find only under the tenant and user that ask; replace what a key had before; forget what is removed; give the pages of one query without a gap or a repeat
 * while nothing is put in.
 */
export interface TaskSearch extends AsyncDisposable {
  /** The position of the log up to which changes are in; 0 at the beginning, or when the log is another one. */
  position(): Promise<number>;
  /** Puts in documents, removes others, and notes where the log stands with them: all or nothing. */
  put(documents: readonly SearchDocument[], position: number, gone?: readonly StreamKey[]): Promise<void>;
  remove(key: StreamKey): Promise<void>;
  /** Tasks that hold all words (the last one may be the beginning of a word) and fit the rest, in order of (statusAt, task) descending. Case and accents do not count. */
  find(query: SearchQuery): Promise<SearchPage>;
}

/** A task, and what was said in it. */
export interface SearchDocument {
  readonly key: StreamKey;
  readonly context: string;
  readonly state: TaskState;
  readonly statusAt: number;
  /** Absent: as it was put in before. */
  readonly text?: string;
}

/** What to look for, and where; every given member must match. */
export interface SearchQuery {
  readonly tenant: string;
  readonly user: string;
  readonly agent?: string;
  readonly context?: string;
  readonly states?: readonly TaskState[];
  /** statusAt at or after, ms since the epoch. */
  readonly statusAfter?: number;
  /** statusAt at or before, ms since the epoch. */
  readonly statusUntil?: number;
  readonly text: string;
  /** The last hit of the page before. */
  readonly after?: { readonly time: number; readonly task: string };
  readonly limit: number;
}

/** One page of hits. */
export interface SearchPage {
  readonly hits: readonly SearchHit[];
  /** All that match the query without `after`. */
  readonly total: number;
  readonly more: boolean;
}

/** A task that was found, and the words around the hit. */
export interface SearchHit {
  readonly key: StreamKey;
  readonly statusAt: number;
  readonly match: string;
}

/** The words of a query, at most 20: letters and digits of any script. */
export function wordsOf(text: string): readonly string[] {
  return (text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).slice(0, 20);
}
