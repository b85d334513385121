import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";

/**
 * The thread that checkpoints: it moves committed pages from the WAL into the database file, and syncs, while the event loop goes on.
 * Takes `"PASSIVE" | "RESTART"`, answers with the WAL's length in pages.
 */
const database = new DatabaseSync(String(workerData), { timeout: 5000 });
database.exec("PRAGMA wal_autocheckpoint = 0");
parentPort?.on("message", (mode: "PASSIVE" | "RESTART") => {
  try {
    const row = database.prepare(`PRAGMA wal_checkpoint(${mode === "RESTART" ? "RESTART" : "PASSIVE"})`).get();
    parentPort?.postMessage(Number(row?.["log"] ?? 0));
  } catch {
    // Busy or failing: the WAL stays as it is, and the next checkpoint tries again.
    parentPort?.postMessage(0);
  }
});
