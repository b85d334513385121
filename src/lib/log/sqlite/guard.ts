import { toStoreError } from "./errors.ts";

/** Wraps a method of a store so that it throws `IasError`s only: first `check`'s, then those that SQLite's errors mean. */
export type Guard = <A extends readonly unknown[], R>(call: (...parameters: A) => Promise<R>) => (...parameters: A) => Promise<R>;

/** Makes the guard of one store; `check` throws when the store is closed. */
export function createGuard(check: () => void): Guard {
  return (call) =>
    async (...parameters) => {
      check();
      try {
        return await call(...parameters);
      } catch (error) {
        throw toStoreError(error, "read the log");
      }
    };
}
