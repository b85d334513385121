import type { StreamResponse } from "../model/a2a.ts";
import type { Audience } from "../model/entry.ts";

/** An event before the writer gives it its place. */
export interface Draft {
  readonly audience: Audience;
  readonly event: StreamResponse;
  /** `encodeEvent(event)`, where it is known already. */
  readonly json?: string;
}
