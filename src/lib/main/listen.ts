import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { IasError } from "../model/errors.ts";

/** Ports that are tried one after the other when none was asked for. */
const TRIES = 20;

/** The reason of an error that says that a port is another's. */
export const PORT_TAKEN = "PORT_TAKEN";

/** Tries `port`; if it is undefined, `first` and then the next ones as long as they are taken: `attempt` then throws with the reason `PORT_TAKEN`. */
export async function firstFree<T>(port: number | undefined, first: number, attempt: (port: number) => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt(port ?? first + tries);
    } catch (error) {
      if (port !== undefined || tries >= TRIES || IasError.from(error).reason !== PORT_TAKEN) throw error;
    }
  }
}

/** Listens on `port` and returns it; 0 takes any free one. Throws `configuration`. */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      throw new IasError("configuration", `Port ${port} on ${host} is taken; choose another with --port or PORT (0 for any free one).`, {
        cause: error,
        reason: PORT_TAKEN,
      });
    }
    throw new IasError("configuration", `Port ${port} on ${host} cannot be listened on (${code ?? String(error)}).`, { cause: error });
  }
  return (server.address() as AddressInfo).port;
}
