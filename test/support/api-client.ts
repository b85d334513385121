import type { ApiError, SendBody, SendReply, StreamEntry } from "../../src/lib/model/api.ts";
import type { SentEvent } from "./event-source.ts";

/** An answer of the API. */
export interface ApiAnswer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

/** A raw client of `/api` of a server. */
export function apiClient(url: string, headers: Readonly<Record<string, string>> = {}) {
  const call = async <T>(method: string, path: string, body?: unknown, more: Readonly<Record<string, string>> = {}): Promise<ApiAnswer<T>> => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers, ...more },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === "" ? undefined : JSON.parse(text)) as T };
  };
  return {
    call,
    get: <T>(path: string, more?: Readonly<Record<string, string>>) => call<T>("GET", path, undefined, more),
    post: <T>(path: string, body: unknown, more?: Readonly<Record<string, string>>) => call<T>("POST", path, body, more),
    /** Sends a text and gives the task that it went to. */
    async send(agent: string, text: string, more: Partial<SendBody> = {}): Promise<Extract<SendReply, { readonly task: string }>> {
      const body: SendBody = { messageId: crypto.randomUUID(), parts: [{ text }], ...more };
      const answer = await call<SendReply | ApiError>("POST", `/api/agents/${agent}/messages`, body);
      if (answer.status !== 200 || !("task" in answer.body)) throw new Error(`send: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
  };
}

/** The entries among events. */
export function entriesOf(events: readonly SentEvent[]): readonly StreamEntry[] {
  return events.filter(({ type }) => type === "message").map(({ data }) => JSON.parse(data) as StreamEntry);
}

/** The text of entries' artifact chunks, joined. */
export function textOfEntries(entries: readonly StreamEntry[]): string {
  return entries.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : [])).join("");
}
