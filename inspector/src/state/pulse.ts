import { type Phase, tokensPerSecond } from "../../../src/lib/liveness/liveness.ts";
import type { Part, StreamResponse, Task, TaskState, TaskStatus } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { readExtension } from "../../../src/lib/model/extension.ts";
import { isPlain } from "../../../src/lib/model/fold.ts";
import { taskTitle } from "../../../src/lib/model/title.ts";
import { createJudge } from "./judge.ts";
import { pathText } from "./speech.ts";

/** What one line shows of a stream, from entries that are not kept: pure but for its own state, no clock inside. Times are by the server's clock. */
export interface Pulse {
  /** The last seq, and when a status came last; 0 before. */
  readonly head: number;
  readonly statusAt: number;
  /** Undefined while no status came: a tail of a stream may have none. */
  readonly state: TaskState | undefined;
  readonly phase: Phase;
  /** Tokens a second, while it makes some. */
  readonly rate: number | undefined;
  /** The last words, and who says them: an agent that was asked, or nobody for the agent itself. */
  readonly words: string;
  readonly speaker: string;
  /** What was asked, and when: known where the first entry came. */
  readonly begun: { readonly at: number; readonly title: string } | undefined;
  /** An entry that came at `at`. */
  take(entry: StreamEntry, at: number): void;
  /** What the task amounted to at `floor`: the entries up to there are gone. */
  restore(task: Task, floor: number): void;
  tick(at: number): void;
}

/** Characters of the last words: more than a line has. */
const MAX_WORDS = 140;

/** A pulse before its first entry. */
export function createPulse(): Pulse {
  const judge = createJudge();
  let head = 0;
  let statusAt = 0;
  let state: TaskState | undefined;
  let words = "";
  let speaker = "";
  /** What the words belong to. */
  let source = "";
  let begun: Pulse["begun"];
  /** A status' words are said once, though entries aside repeat the status. */
  let spoken: string | undefined;

  const say = (of: string, who: string, text: string, isNew: boolean): void => {
    if (isNew || of !== source || who !== speaker) words = "";
    [source, speaker] = [of, who];
    words = (words + text).slice(-MAX_WORDS);
  };
  const sayParts = (of: string, parts: readonly Part[], isNew: boolean): void => {
    const text = parts.map((part) => (part.text !== undefined && isPlain(part) ? part.text : "")).join("");
    if (text !== "") say(of, "", text, isNew);
  };
  const stand = (status: TaskStatus, at: number): void => {
    if (status.state !== state) statusAt = at;
    ({ state } = status);
    if (status.message === undefined || status.message.messageId === spoken) return;
    spoken = status.message.messageId;
    sayParts(spoken, status.message.parts, true);
  };
  const hear = (event: StreamResponse, at: number): void => {
    if ("artifactUpdate" in event) {
      const { artifact, append } = event.artifactUpdate;
      sayParts(artifact.artifactId, artifact.parts, append !== true);
    } else if ("statusUpdate" in event) {
      const data = readExtension(event);
      if (data?.kind === "text") say("", pathText(data.path), data.text, false);
      stand(event.statusUpdate.status, at);
    } else if ("task" in event) {
      for (const { artifactId, parts } of event.task.artifacts ?? []) sayParts(artifactId, parts, true);
      stand(event.task.status, at);
    } else sayParts(event.message.messageId, event.message.parts, true);
  };

  return {
    get head() {
      return head;
    },
    get statusAt() {
      return statusAt;
    },
    get state() {
      return state;
    },
    get phase() {
      return judge.phase;
    },
    get rate() {
      const { activity } = judge.liveness;
      return activity === "generating" ? tokensPerSecond(judge.liveness) : undefined;
    },
    get words() {
      return words;
    },
    get speaker() {
      return speaker;
    },
    get begun() {
      return begun;
    },
    take(entry, at) {
      if (entry.seq <= head) return;
      ({ seq: head } = entry);
      if ("task" in entry.event && entry.seq === 1) begun = { at: entry.at, title: taskTitle(entry.event.task) ?? "" };
      judge.take(entry, at);
      hear(entry.event, entry.at);
    },
    restore(task, floor) {
      if (floor <= head) return;
      head = floor;
      words = "";
      for (const { artifactId, parts } of task.artifacts ?? []) sayParts(artifactId, parts, true);
      stand(task.status, Date.parse(task.status.timestamp ?? "") || 0);
    },
    tick: (at) => judge.tick(at),
  };
}
