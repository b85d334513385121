import type { ReadonlySignal } from "@preact/signals";
import type { ComponentType } from "preact";
import type { StreamStore } from "../state/stream.ts";

/** What a view of a task's stream gets. */
export interface TaskViewProps {
  readonly stream: StreamStore;
  /** The seq that the address holds (`at=`); undefined is the live end. */
  readonly at: ReadonlySignal<number | undefined>;
  /** Puts a seq into the address, without a step to go back to; undefined follows the end. */
  readonly moveTo: (seq: number | undefined) => void;
}

/** A view of a task's stream: a tab, fetched when it is first shown. Its address is `/t/{agent}/{task}?view={id}`. */
export interface TaskTab {
  readonly id: string;
  readonly title: string;
  /** The key that opens it. */
  readonly key: string;
  readonly load: () => Promise<ComponentType<TaskViewProps>>;
}

/** The tabs in their order. A new view is a line here. */
export const TASK_TABS: readonly TaskTab[] = [
  { id: "conversation", title: "Conversation", key: "1", load: async () => (await import("../views/conversation/task-conversation.tsx")).TaskConversation },
  { id: "lanes", title: "Lanes", key: "2", load: async () => (await import("../lanes/task-lanes.tsx")).TaskLanes },
  { id: "sequence", title: "Sequence", key: "3", load: async () => (await import("../sequence/sequence.tsx")).SequenceView },
  { id: "frames", title: "Frames", key: "4", load: async () => (await import("../frames/frames.tsx")).Frames },
  { id: "wire", title: "Cut the wire", key: "5", load: async () => (await import("../wire/wire.tsx")).Wire },
  { id: "readers", title: "Readers", key: "6", load: async () => (await import("../readers/readers.tsx")).Readers },
];
