/** Who acts (SEMANTICS 22). Every contract takes one; every key starts with its `tenant` and `user`. */
export interface Principal {
  readonly tenant: string;
  readonly user: string;
  /** Extra rights by name, for example `operator`. */
  readonly roles?: readonly string[];
}

/** The address of one task's stream. A task is found only under its whole key, so a foreign task does not exist. */
export interface StreamKey {
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly task: string;
}

/** The key of `task` of `agent` as `principal` sees it. */
export function streamKey(principal: Principal, agent: string, task: string): StreamKey {
  return { tenant: principal.tenant, user: principal.user, agent, task };
}

/** Joins parts into one string, injectively: each part is percent-encoded, so `/` stands only between parts. */
export function joinKey(...parts: readonly string[]): string {
  return parts.map(encodeURIComponent).join("/");
}

/** The parts of what `joinKey` made; a part that is not percent-encoded text stays as it is. */
export function splitKey(key: string): readonly string[] {
  return key.split("/").map(decodeSegment);
}

/** A segment of a path or key without its percent-encoding; as it is where it cannot be decoded. */
export function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The text form of a stream key, injective: `tenant/user/agent/task`, each percent-encoded. */
export function keyText(key: StreamKey): string {
  return joinKey(key.tenant, key.user, key.agent, key.task);
}
