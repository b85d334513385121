import type { Artifact, Json, Message, Part, Task } from "../model/a2a.ts";

/** What an agent answered, as scorers see it. */
export interface Answer {
  /** Text of the artifacts, a line break between two of them; without artifacts, of the last message. */
  readonly text: string;
  /** Data parts, in order. */
  readonly data: readonly Json[];
}

/**
 * The answer of a task, or of a direct message. An agent without artifacts answers with the message of its final status, and one that streams its tokens
 * as status messages (a2a-sdk's `updater.update_status`) with all of those together.
 */
export function answerOf(said: { readonly task: Task } | { readonly message: Message }): Answer {
  if ("message" in said) return fromParts([said.message.parts]);
  const { artifacts = [], status, history = [] } = said.task;
  if (artifacts.some(({ parts }) => parts.length > 0)) return fromParts(artifacts.map((artifact: Artifact) => artifact.parts));
  const last = fromParts(status.message === undefined ? [] : [status.message.parts]);
  const before = history.filter(({ role }) => role === "ROLE_AGENT").flatMap(({ parts }) => parts);
  const all = fromParts([[...before, ...(status.message?.parts ?? [])]]);
  // A final message that repeats what was streamed is the whole answer.
  return last.text !== "" && last.text.length * 2 >= all.text.length ? last : all;
}

function fromParts(groups: readonly (readonly Part[])[]): Answer {
  return {
    text: groups
      .map((parts) => parts.map(({ text = "" }) => text).join(""))
      .filter((text) => text !== "")
      .join("\n"),
    data: groups.flatMap((parts) => parts.flatMap(({ data }) => (data === undefined ? [] : [data]))),
  };
}
