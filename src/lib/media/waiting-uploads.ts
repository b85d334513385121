import type { Records } from "../log/records.ts";
import { joinKey, splitKey, type StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { type Uploader, uploadOwner, type WaitingUploads } from "./uploads.ts";

/** What they stand on. */
export interface WaitingUploadsOptions {
  readonly records: Records;
  readonly limits: Pick<Limits, "maxWaitingUploadBytes" | "uploadTtlMs">;
  readonly now: () => number;
}

/** What the smallest file counts, bytes: so much it takes on a disk with its name and folders, and a file of one byte would count nothing. */
const LEAST_COUNTED = 16 * 1024;

const SPANS = "uploads";
const FILES = "uploaded";

/** Of a caller in one span: what waits. */
interface Span {
  readonly bytes: number;
}

/** A file that waits. */
interface Waiting extends Span {
  readonly span: number;
}

/** Makes them. */
export function createWaitingUploads({ records, limits, now }: WaitingUploadsOptions): WaitingUploads {
  const receiving = new Map<string, number>();
  const spanNow = (): number => Math.floor(now() / limits.uploadTtlMs);
  const placeOf = (caller: Uploader, span: number): StreamKey => ({ ...uploadOwner(caller), task: `span-${span}` });
  const spanOf = ({ task }: StreamKey): number => Number(task.slice("span-".length));
  const spanKey = ({ tenant, user }: Uploader, span: number): string => joinKey(SPANS, String(span), tenant, user);
  const fileKey = ({ tenant, user }: Uploader, sha256: string): string => joinKey(FILES, tenant, user, sha256);

  async function waiting(caller: Uploader, span: number): Promise<number> {
    const found = await records.get(spanKey(caller, span));
    return found === undefined ? 0 : (JSON.parse(found.value) as Span).bytes;
  }

  async function change(caller: Uploader, span: number, bytes: number): Promise<void> {
    const key = spanKey(caller, span);
    for (;;) {
      const found = await records.get(key);
      // A span that was removed is not to come back.
      if (found === undefined && bytes < 0) return;
      const value: Span = { bytes: Math.max(0, (found === undefined ? 0 : (JSON.parse(found.value) as Span).bytes) + bytes) };
      if ((await records.put({ key, value: JSON.stringify(value), ifVersion: found?.version ?? 0 })).ok) return;
    }
  }

  return {
    place: (caller) => placeOf(caller, spanNow()),
    async free(caller) {
      const span = spanNow();
      return limits.maxWaitingUploadBytes - (await waiting(caller, span)) - (await waiting(caller, span - 1));
    },
    receive({ tenant, user }) {
      const name = joinKey(tenant, user);
      let own = 0;
      const add = (bytes: number): number => {
        const all = (receiving.get(name) ?? 0) + bytes;
        if (all === 0) receiving.delete(name);
        else receiving.set(name, all);
        own += bytes;
        return all;
      };
      return { count: add, [Symbol.dispose]: () => void add(-own) };
    },
    open: (place) => change(place, spanOf(place), 0),
    async add(place, { sha256, size }) {
      const [key, span, bytes] = [fileKey(place, sha256), spanOf(place), Math.max(size, LEAST_COUNTED)];
      const found = await records.get(key);
      const before = found && (JSON.parse(found.value) as Waiting);
      if (before?.span === span) return;
      const value: Waiting = { span, bytes };
      const put = await records.put({ key, value: JSON.stringify(value), ifVersion: found?.version ?? 0, ttlMs: 3 * limits.uploadTtlMs });
      // Two at once: the other one counts.
      if (!put.ok) return;
      if (before !== undefined) await change(place, before.span, -before.bytes);
      await change(place, span, bytes);
    },
    async taken(caller, sha256) {
      const key = fileKey(caller, sha256);
      const found = await records.get(key);
      if (found === undefined || !(await records.delete(key, { ifVersion: found.version }))) return;
      const { span, bytes } = JSON.parse(found.value) as Waiting;
      await change(caller, span, -bytes);
    },
    async *over() {
      for (let after: string | undefined; ;) {
        const page = await records.list(`${SPANS}/`, { limit: 100, ...(after !== undefined && { after }) });
        for (const { key } of page) {
          const [, span = "", tenant = "", user = ""] = splitKey(key);
          if (Number(span) > spanNow() - 2) continue;
          yield placeOf({ tenant, user }, Number(span));
          await records.delete(key);
        }
        after = page.at(-1)?.key;
        if (page.length < 100) return;
      }
    },
  };
}
