/** A cursor on the wire: opaque to clients, `<log id>.<seq>` to us (SEMANTICS 3). */
export function toCursor(logId: string, seq: number): string {
  return `${logId}.${seq}`;
}

/**
 * What a cursor that a reader sent is worth for a stream: `resume` after `seq`; or `reset`, because it is unreadable, of another log,
 * above the head or below the floor (SEMANTICS 4).
 */
export function readCursor(
  cursor: string,
  stream: { readonly logId: string; readonly head: number; readonly floor: number },
): { readonly kind: "resume"; readonly seq: number } | { readonly kind: "reset" } {
  const match = /^([a-z0-9]{4,32})\.(0|[1-9]\d{0,14})$/.exec(cursor);
  if (match === null || match[1] !== stream.logId) return { kind: "reset" };
  const seq = Number(match[2]);
  return seq > stream.head || seq < stream.floor ? { kind: "reset" } : { kind: "resume", seq };
}
