import type { StreamEntry } from "../../../src/lib/model/api.ts";

/** Entries that the page does not keep, fetched by the page when they are looked at. */
export interface Pages {
  /** The entry, or undefined until its page is here: `onChange` tells when. */
  get(seq: number): StreamEntry | undefined;
  /** Why the last page did not come; it is asked for again when it is looked at again. */
  readonly problem: string | undefined;
  readonly kept: number;
  close(): void;
}

/** How entries are fetched: `count` of them from the seq `first` on, or fewer where the stream has no more. */
export type FetchPage = (first: number, count: number, signal: AbortSignal) => Promise<readonly StreamEntry[]>;

/** How much is fetched at once, and kept. */
export interface PagesLimits {
  readonly pageEntries: number;
  readonly maxPages: number;
}

/** 10 pages of 200: a screenful and what is around it. */
const PAGES_LIMITS: PagesLimits = { pageEntries: 200, maxPages: 10 };

/** No page yet. Of more than `maxPages` those go that were looked at longest ago. */
export function createPages(fetchPage: FetchPage, onChange: () => void, { pageEntries, maxPages }: PagesLimits = PAGES_LIMITS): Pages {
  const over = new AbortController();
  const pages = new Map<number, ReadonlyMap<number, StreamEntry> | "asked">();
  let problem: string | undefined;

  const ask = (page: number): void => {
    pages.set(page, "asked");
    fetchPage(page * pageEntries + 1, pageEntries, over.signal).then(
      (entries) => {
        problem = undefined;
        if (pages.has(page)) pages.set(page, new Map(entries.map((entry) => [entry.seq, entry])));
        onChange();
      },
      (error: unknown) => {
        pages.delete(page);
        if (over.signal.aborted) return;
        problem = error instanceof Error ? error.message : String(error);
        onChange();
      },
    );
  };
  return {
    get(seq) {
      if (seq < 1 || over.signal.aborted) return undefined;
      const page = Math.floor((seq - 1) / pageEntries);
      const known = pages.get(page);
      if (known === undefined) ask(page);
      else {
        // Last in the map is what was looked at last.
        pages.delete(page);
        pages.set(page, known);
      }
      for (const oldest of pages.keys()) {
        if (pages.size <= maxPages) break;
        pages.delete(oldest);
      }
      return known === undefined || known === "asked" ? undefined : known.get(seq);
    },
    get problem() {
      return problem;
    },
    get kept() {
      return pages.size;
    },
    close: () => over.abort(),
  };
}
