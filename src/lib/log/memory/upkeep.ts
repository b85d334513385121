import { IasError } from "../../model/errors.ts";
import { joinKey, keyText } from "../../model/key.ts";
import { lowestHold } from "../holds.ts";
import type { Upkeep } from "../store.ts";
import { wakeFollowers } from "../tail.ts";
import type { MemoryParts } from "./writer.ts";

/** The upkeep of a memory store. It compacts nothing: entries in memory are never rewritten. */
export function createMemoryUpkeep({ streams, records, index }: MemoryParts): Upkeep {
  return {
    compact: async () => ({ merged: 0, segments: 0 }),
    truncate: async (key, { floor, snapshot }) => {
      const stream = streams.get(key);
      const name = keyText(key);
      if (stream === undefined) throw new IasError("not-found", `There is no stream ${name} to truncate.`);
      if (floor > stream.head) throw new IasError("invalid-request", `The floor ${floor} is above the head ${stream.head} of ${name}.`);
      const allowed = Math.max(stream.floor, Math.min(floor, lowestHold(records.all(joinKey("hold", name) + "/"))));
      if (allowed === floor && floor > stream.floor) stream.truncate(floor, snapshot);
      return { floor: allowed };
    },
    remove: async (key) => {
      const stream = streams.get(key);
      const name = keyText(key);
      if (stream === undefined || !stream.sealed || records.all(joinKey("hold", name) + "/").length > 0) return false;
      records.removeAll(joinKey("task", name) + "/");
      index.replace(stream.row, undefined);
      stream.row = undefined;
      stream.gone = true;
      streams.remove(stream);
      wakeFollowers(stream);
      return true;
    },
  };
}
