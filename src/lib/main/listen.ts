import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { IasError } from "../model/errors.ts";

/** Ports that are tried one after the other when none was asked for. */
const TRIES = 20;

/** Listens on `port`, or on `first` or the next free one when it is undefined. Returns the port. Throws `configuration` when there is none. */
export async function listen(server: Server, host: string, port: number | undefined, first: number): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await listenOn(server, host, port ?? first + tries);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EADDRINUSE" && port === undefined && tries < TRIES) continue;
      if (code === "EADDRINUSE")
        throw new IasError("configuration", `Port ${port ?? first} on ${host} is taken; set PORT to another one (0 for any).`, { cause: error });
      throw new IasError("configuration", `Cannot listen on ${host}:${port ?? first} (${code ?? String(error)}).`, { cause: error });
    }
  }
}

function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
