import { signal } from "@preact/signals";
import type { StreamStore } from "./stream.ts";

/** The agent's name in the address of a stream that comes from a file: no id of an agent has this form. */
export const FILE_AGENT = "~file";

/** The stream of the file that was opened last; shown at `/t/~file/{task}`. */
export const heldFile = signal<StreamStore | undefined>(undefined);

/** What of that file could not be read or is not shown, in words. */
export const heldProblem = signal<string | undefined>(undefined);
