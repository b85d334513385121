import type { ComponentType } from "preact";
import type { ReplaySession } from "../replay/session.ts";

/** What a view of a task's stream gets: the stream up to where its replay stands (`replay.shown`), or as it is now (`replay.stream`). The page draws the bar. */
export interface TaskViewProps {
  readonly replay: ReplaySession;
}

/** A view of a task's stream: a tab, fetched when it is first shown. Its address is `/t/{agent}/{task}?view={id}`. */
export interface TaskTab {
  readonly id: string;
  readonly title: string;
  /** The key that opens it. */
  readonly key: string;
  /** Why it has no replay: it is about now. */
  readonly now?: string;
  readonly load: () => Promise<ComponentType<TaskViewProps>>;
}

/** The tabs in their order. A new view is a line here. */
export const TASK_TABS: readonly TaskTab[] = [
  { id: "conversation", title: "Conversation", key: "1", load: async () => (await import("../views/conversation/task-conversation.tsx")).TaskConversation },
  { id: "lanes", title: "Lanes", key: "2", load: async () => (await import("../lanes/task-lanes.tsx")).TaskLanes },
  { id: "sequence", title: "Sequence", key: "3", load: async () => (await import("../sequence/sequence.tsx")).SequenceView },
  { id: "frames", title: "Frames", key: "4", load: async () => (await import("../frames/frames.tsx")).Frames },
  {
    id: "wire",
    title: "Cut the wire",
    key: "5",
    now: "This view has no replay: it is about the connection of this page, which is now.",
    load: async () => (await import("../wire/wire.tsx")).Wire,
  },
  {
    id: "readers",
    title: "Readers",
    key: "6",
    now: "This view has no replay: who reads now is asked every second, and kept nowhere.",
    load: async () => (await import("../readers/readers.tsx")).Readers,
  },
];
