import { monotonicMicros } from "../servers/load.ts";
import type { Tally } from "./stream.ts";

const AT = 0x40;
const HASH = 0x23;

/**
 * Finds the stamps `@<µs>#` of the load agent's chunks in the bytes of one stream, and counts them; they stand nowhere else. It takes less of the
 * generator's core than a parser would. Give it the bytes as they come: a stamp may be cut between two reads.
 */
export function createStampReader(tally: Tally, onStamp: () => void): { read(bytes: Buffer, length: number): void } {
  /** The digits so far of a stamp that the end of a read has cut; -1 outside of one. */
  let partial = -1;
  return {
    read(bytes, length) {
      const now = monotonicMicros();
      let at = 0;
      for (;;) {
        if (partial < 0) {
          at = bytes.indexOf(AT, at);
          if (at < 0 || at >= length) return;
          at += 1;
          partial = 0;
        }
        for (let byte = bytes[at]; at < length && byte !== undefined && byte !== HASH; byte = bytes[at]) {
          partial = partial * 10 + byte - 48;
          at += 1;
        }
        if (at >= length) return;
        tally.chunks += 1;
        tally.latencies.add(now - partial);
        onStamp();
        partial = -1;
      }
    },
  };
}
