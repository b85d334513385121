import type { Message, Task } from "./a2a.ts";
import { cutText } from "./cut-text.ts";

/** Longest title, characters. */
const MAX_TITLE = 200;

/** What a task is called in lists: the beginning of the first that a person said, at most 200 characters; undefined if nothing was said in words. */
export function taskTitle(task: Task | undefined): string | undefined {
  const first = task?.history?.find(({ role }) => role === "ROLE_USER");
  const text = first && textOfMessage(first).replaceAll(/\s+/g, " ").trim();
  return text === undefined || text === "" ? undefined : cutText(text, MAX_TITLE);
}

function textOfMessage({ parts }: Message): string {
  return parts.map((part) => part.text ?? (part.filename === undefined ? "" : `[${part.filename}]`)).join(" ");
}
