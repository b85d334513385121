import { navigate, paths } from "../router.ts";
import { FILE_AGENT, heldFile, heldProblem } from "./held-file.ts";
import { loadStream } from "./stream.ts";
import { readLines } from "./stream-file.ts";

/** Shows the first stream of a file, with what of it could not be read. Throws where nothing can be shown. It needs no server. */
export function openStreamFile(text: string): void {
  const { streams, problems } = readLines(text);
  const [first, ...more] = streams.filter(({ entries, snapshot }) => entries.length > 0 || snapshot !== undefined);
  const told = problems.slice(0, 3).map(({ line, message }) => `Line ${line} ${message}.`);
  if (first === undefined) throw new Error(told.length === 0 ? "The file has no entries." : told.join(" "));
  const task = first.task === "" ? "file" : first.task;
  heldFile.value = loadStream({ ...first, agent: first.agent === "" ? "file" : first.agent, task });
  const others = more.length === 0 ? "" : `The file has ${more.length} more ${more.length === 1 ? "stream" : "streams"}, which are not shown. `;
  heldProblem.value = told.length === 0 && others === "" ? undefined : others + told.join(" ");
  navigate(paths.task(FILE_AGENT, task, { view: "lanes" }));
}
