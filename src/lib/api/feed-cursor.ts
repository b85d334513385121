import { createHash } from "node:crypto";
import { keyText, type StreamKey } from "../model/key.ts";

/** Where a feed stands: everything that changed up to `position` has been given, of unfinished tasks up to the seq that stands here. */
export interface FeedPlace {
  readonly position: number;
  /** The tasks that were unfinished when the feed began are still to be given. */
  readonly starting: boolean;
  /** By `streamMark`. */
  readonly given: ReadonlyMap<string, number>;
}

/** Most tasks that a cursor names, those that changed last; of an older one a reader gets entries again. So many fit into a header, where `Last-Event-ID` travels. */
const MAX_NAMED = 300;

/** Characters of a mark: 48 bits, among the tasks of one caller. */
const MARK = 8;

/** A short name of a stream in a cursor. */
export function streamMark(key: StreamKey): string {
  return createHash("sha256").update(keyText(key)).digest("base64url").slice(0, MARK);
}

/** `<log id>.<position>` and then, for each task, its mark and seq; numbers in base 36. */
export function writeFeedCursor(logId: string, { position, starting, given }: FeedPlace): string {
  const named = [...given].slice(-MAX_NAMED).map(([mark, seq]) => `.${mark}${seq.toString(36)}`);
  return `${logId}.${position.toString(36)}${starting ? "!" : ""}${named.join("")}`;
}

/** The place of a cursor; undefined for one of another log, or none of ours: then the feed begins anew. */
export function readFeedCursor(text: string, logId: string): FeedPlace | undefined {
  const match = /^([a-z0-9]{4,32})\.([0-9a-z]{1,11})(!?)((?:\.[\w-]{8}[0-9a-z]{1,11})*)$/.exec(text);
  if (match === null || match[1] !== logId) return undefined;
  const [, , position = "", starting, rest = ""] = match;
  const named = rest
    .split(".")
    .slice(1)
    .map((one): [string, number] => [one.slice(0, MARK), Number.parseInt(one.slice(MARK), 36)]);
  return { position: Number.parseInt(position, 36), starting: starting === "!", given: new Map(named) };
}
