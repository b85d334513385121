import type { Message } from "../../../src/lib/model/a2a.ts";
import { newId } from "../../../src/lib/browser/words.ts";
import { EXTENSION_URI } from "../../../src/lib/model/entry.ts";

/** What a copied command asks. It never holds a credential: where one is needed it names the shell's variable `$TOKEN`. */
export type CurlWish =
  /** The entries of a task after a cursor, over the API of frontends. */
  | { readonly kind: "entries"; readonly origin: string; readonly agent: string; readonly task: string; readonly after?: string; readonly needsToken: boolean }
  /** The same stream as any A2A client gets it, resumed after a cursor. */
  | {
      readonly kind: "subscribe";
      readonly origin: string;
      readonly agent: string;
      readonly task: string;
      readonly after?: string;
      readonly needsToken: boolean;
    }
  /** The user's message once more, as a new one. */
  | { readonly kind: "send"; readonly origin: string; readonly agent: string; readonly message: Message; readonly needsToken: boolean };

/** A command for a POSIX shell. */
export function toCurl(wish: CurlWish): string {
  const token = wish.needsToken ? [`-H "Authorization: Bearer $TOKEN"`] : [];
  switch (wish.kind) {
    case "entries": {
      const url = new URL(`/api/tasks/${encodeURIComponent(wish.task)}/events`, wish.origin);
      url.searchParams.set("agent", wish.agent);
      if (wish.after !== undefined) url.searchParams.set("after", wish.after);
      return join(["curl -N", quote(url.href), ...token, "-H 'Accept: text/event-stream'"]);
    }
    case "subscribe": {
      const resume = wish.after === undefined ? [] : [`-H ${quote(`Last-Event-ID: ${wish.after}`)}`];
      return join(["curl -N", quote(a2aUrl(wish)), ...token, ...rpc, ...resume, `-d ${quote(body("SubscribeToTask", { id: wish.task }))}`]);
    }
    case "send": {
      // Another id: the same would attach to the task that the first made.
      const { messageId: _, metadata: __, ...rest } = wish.message;
      const message = { messageId: newId(), ...rest };
      return join(["curl -N", quote(a2aUrl(wish)), ...token, ...rpc, `-d ${quote(body("SendStreamingMessage", { message }))}`]);
    }
  }
}

const rpc = ["-H 'Content-Type: application/json'", "-H 'A2A-Version: 1.0'", `-H 'A2A-Extensions: ${EXTENSION_URI}'`];

function a2aUrl({ origin, agent }: { readonly origin: string; readonly agent: string }): string {
  return new URL(`/a2a/${encodeURIComponent(agent)}`, origin).href;
}

function body(method: string, params: object): string {
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
}

/** `text` as one word of a POSIX shell, whatever is in it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function join(words: readonly string[]): string {
  return words.join(" \\\n  ");
}
