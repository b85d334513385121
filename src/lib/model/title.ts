import type { Message, Task } from "./a2a.ts";

/** Longest title, characters. */
const MAX_TITLE = 200;

/** What a task is called in lists: the beginning of the first that a person said, at most 200 characters; undefined if nothing was said in words. */
export function taskTitle(task: Task | undefined): string | undefined {
  const first = task?.history?.find(({ role }) => role === "ROLE_USER");
  const text = first && textOfMessage(first).replaceAll(/\s+/g, " ").trim();
  return text === undefined || text === "" ? undefined : shorten(text, MAX_TITLE);
}

function textOfMessage({ parts }: Message): string {
  return parts.map((part) => part.text ?? (part.filename === undefined ? "" : `[${part.filename}]`)).join(" ");
}

/** `text` in at most `max` characters, never half of one. */
export function shorten(text: string, max: number): string {
  return text.length <= max
    ? text
    : `${text
        .slice(0, max - 1)
        .toWellFormed()
        .replaceAll("\uFFFD", "")}…`;
}
