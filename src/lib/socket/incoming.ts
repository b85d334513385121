/** Of each connection, what is taken however much others have under way, bytes: ordinary messages get through while somebody sends long ones slowly. */
const ALWAYS_TAKEN = 64 * 1024;

/** Bytes of the messages of a connection that have not come whole. */
export interface Incoming {
  /** So many more have come. False: all connections together hold more than they may, and this one is to be cut off. */
  add(bytes: number): boolean;
  /** A message is whole, or the connection is over. */
  clear(): void;
}

/**
 * Counts what all connections hold of messages that are not whole, together at most `maxBytes` beside the first 64 KiB of each: whoever begins very many long
 * messages and ends none must not fill the memory. Makes the counter of one connection.
 */
export function createIncoming(maxBytes: number): () => Incoming {
  let held = 0;
  const counted = (bytes: number): number => Math.max(0, bytes - ALWAYS_TAKEN);
  return () => {
    let own = 0;
    const set = (bytes: number): void => {
      held += counted(bytes) - counted(own);
      own = bytes;
    };
    return {
      add(bytes) {
        set(own + bytes);
        return counted(own) === 0 || held <= maxBytes;
      },
      clear: () => set(0),
    };
  };
}
