import { IasError } from "../model/errors.ts";
import type { Runtime } from "./runtime.ts";

/** For servers that read another process's data folder: no turn runs here, and none is taken. */
export function createReadOnlyRuntime(): Runtime {
  return {
    admit() {
      throw new IasError("forbidden", "This server only reads; send messages to the one that owns the data folder.", { reason: "READ_ONLY" });
    },
    submit: async () => {},
    input: async () => "idle",
    cancel: async () => "idle",
    drain: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}
