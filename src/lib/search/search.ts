import type { StreamKey } from "../model/key.ts";

/**
 * Full-text search in what was said in tasks: derived from the log, so that it may be thrown away and is made again. Right when both adapters' tests pass.
 *
 * MUST: find only under the tenant and user that ask; replace what a key had before; forget what is removed.
 */
export interface TaskSearch extends AsyncDisposable {
  /** The position of the log up to which changes are in; 0 at the beginning, or when the log is another one. */
  position(): Promise<number>;
  /** Puts in documents, and where the log stands with them. */
  put(documents: readonly SearchDocument[], position: number): Promise<void>;
  remove(key: StreamKey): Promise<void>;
  /** Tasks that hold all words (the last one may be the beginning of a word), newest first. Case and accents do not count. */
  find(query: SearchQuery): Promise<readonly SearchHit[]>;
}

/** What was said in one task. */
export interface SearchDocument {
  readonly key: StreamKey;
  readonly context: string;
  readonly statusAt: number;
  readonly text: string;
}

/** What to look for, and where. */
export interface SearchQuery {
  readonly tenant: string;
  readonly user: string;
  readonly agent?: string;
  readonly context?: string;
  readonly text: string;
  readonly limit: number;
}

/** A task that was found, and the words around the hit. */
export interface SearchHit {
  readonly key: StreamKey;
  readonly match: string;
}

/** The words of a query, at most 20: letters and digits of any script. */
export function wordsOf(text: string): readonly string[] {
  return (text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).slice(0, 20);
}
