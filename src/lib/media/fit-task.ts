import type { Task } from "../model/a2a.ts";
import type { StreamKey } from "../model/key.ts";
import type { Media } from "./media.ts";

/** A Task whose largest contents are references where it is over `maxBytes` (SEMANTICS 8). PLACEHOLDER until the blob store lands. */
export async function fitTask(_media: Media, _key: StreamKey, task: Task, _maxBytes: number): Promise<Task> {
  return task;
}
