import { openStores } from "./open-store.ts";
import { type Server, type ServerOptions, startServer } from "./server.ts";
import { checkSettings, DEFAULT_SETTINGS } from "./settings.ts";

/** Options of `serve`: agents, and whatever of the settings is not as it comes. */
export type ServeOptions = Omit<ServerOptions, "store" | "blobs" | "secrets" | "search">;

/**
 * Serves agents over A2A in this process (recipe R1): streams in SQLite in `./.data`, on http://127.0.0.1:4000 or the next free port, until it is disposed.
 * Options are the settings of `docs/operations.md`; the environment is not read, and signals are left to the program: `drain` before the end of the process (docs/operations.md).
 *
 * @throws IasError `configuration` for options that cannot work, `conflict` when another process owns the data folder.
 */
export async function serve(options: ServeOptions): Promise<Server> {
  const settings = { ...DEFAULT_SETTINGS, ...options };
  checkSettings(settings);
  const stores = await openStores(settings);
  try {
    const server = await startServer({ ...options, ...stores });
    return {
      ...server,
      async [Symbol.asyncDispose]() {
        try {
          await server[Symbol.asyncDispose]();
        } finally {
          await stores[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await stores[Symbol.asyncDispose]();
    throw error;
  }
}
