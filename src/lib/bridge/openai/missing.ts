import { IasError } from "../../model/errors.ts";

/** What OpenAI's clients can call and this server does not have: why, and what to do instead, by the beginning of the path. */
const MISSING: readonly (readonly [path: RegExp, why: string])[] = [
  [/^chat\/completions/, "Chat completions are not kept under an id. POST /v1/responses gives answers that can be retrieved, resumed and deleted"],
  [/^completions/, "There are no completions of bare text. POST /v1/chat/completions or /v1/responses"],
  [
    /^responses\/[^/]+\/input_items/,
    "The input of a response is not listed here. GET /api/tasks/{task} has the task's history; the response's metadata names the task",
  ],
  [/^responses\/compact/, "An agent keeps its own history and compacts it itself. Go on with previous_response_id"],
  [/^responses\/input_tokens/, "An agent's tokens are known once they are spent: usage of the response has them"],
  [/^conversations/, 'Conversations are not made: the first response that names one, conversation: "any-id", begins it. GET /api/conversations lists them'],
  [/^(?:files|uploads)/, "Files are not kept under an id. POST /api/uploads takes them; a file's url goes into image_url or file_url"],
  [/^models\/[^/]+$/, "Agents cannot be changed here"],
  [/^realtime/, "Realtime sessions are not served. /api/ws streams over a WebSocket"],
];

const KNOWN = [
  "GET /v1/models",
  "GET /v1/models/{id}",
  "POST /v1/chat/completions",
  "POST /v1/responses",
  "GET /v1/responses/{id}",
  "DELETE /v1/responses/{id}",
  "POST /v1/responses/{id}/cancel",
];

/** The error of a request that no endpoint takes. */
export function missing(method: string, path: string): IasError {
  const why = MISSING.find(([pattern]) => pattern.test(path))?.[1];
  const asked = `There is no ${method.slice(0, 20)} /v1/${path.slice(0, 100)} here.`;
  return new IasError("not-found", `${asked} ${why === undefined ? "There are" : `${why}. There are`} ${KNOWN.join(", ")}.`);
}
