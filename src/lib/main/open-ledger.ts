import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createFileControl, createMemoryControl } from "../campaign/control.ts";
import type { Ledger } from "../campaign/ledger.ts";
import { createStoreLedger } from "../campaign/store-ledger.ts";
import { createMemoryStore } from "../log/memory.ts";
import { createSqliteStore } from "../log/sqlite.ts";

/** Streams of attempts that nobody uses any more but stay in memory: few, so that 10,000 battles take no more than ten. */
const MAX_IDLE_STREAMS = 64;

const IN_USE =
  "It runs this campaign: stop it, or choose another folder with --out. `ias campaign status` and `report` read this one meanwhile; `pause`, `cancel` and `requeue` reach its runner.";

/**
 * Opens the ledger of a results folder: SQLite in `ledger/`, wishes in `control/`. One process owns it; with `readOnly` it is read beside its owner or without
 * one, and wishes can be written all the same. Throws `conflict` naming the owner; `not-found` for a folder without a ledger that is only to be read.
 */
export function openLedger(folder: string, options: { readonly readOnly?: boolean } = {}): Ledger {
  const readOnly = options.readOnly ?? false;
  if (!readOnly) mkdirSync(folder, { recursive: true });
  const store = createSqliteStore({ folder: join(folder, "ledger"), readOnly, maxIdleStreams: MAX_IDLE_STREAMS, inUse: IN_USE });
  return createStoreLedger({ store, control: createFileControl(join(folder, "control")), now: Date.now });
}

/** A ledger that is gone with its process, for tests and for campaigns that nobody wants to continue. */
export function createMemoryLedger(): Ledger {
  return createStoreLedger({ store: createMemoryStore(), control: createMemoryControl(), now: Date.now });
}
