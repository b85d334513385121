import type { Dispatcher } from "undici";
import type { OpenAIChatOptions } from "./options.ts";

/** Sends a request. `onSent` is called when a connection is open and the request goes out on it, where that can be seen. */
export interface Transport extends AsyncDisposable {
  send(url: string, init: RequestInit, onSent: () => void): Promise<Response>;
}

/**
 * Connections without any time-out but that of connecting: `fetch` as Node has it gives a silent server up after 300 s. Redirects are not followed.
 * Loaded with the first request; disposing closes what is open.
 */
export function createTransport({ fetch: own, connectTimeoutMs }: Pick<OpenAIChatOptions, "fetch"> & { readonly connectTimeoutMs: number }): Transport {
  if (own !== undefined) return { send: (url, init) => own(url, init), [Symbol.asyncDispose]: async () => {} };
  const open = async () => {
    const { Agent, fetch } = await import("undici");
    return { fetch, agent: new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: connectTimeoutMs } }) };
  };
  let opened: ReturnType<typeof open> | undefined;
  return {
    async send(url, init, onSent) {
      opened ??= open();
      const { fetch, agent } = await opened;
      const dispatcher = agent.compose((dispatch) => (options, handler) => dispatch(options, watch(handler, onSent)));
      return fetch(url, { ...(init as object), redirect: "manual", dispatcher });
    },
    async [Symbol.asyncDispose]() {
      await (await opened)?.agent.destroy();
    },
  };
}

/** The handler as it is, and the news that its request goes out. */
function watch(handler: Dispatcher.DispatchHandler, onSent: () => void): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      onSent();
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade: (...given) => handler.onRequestUpgrade?.(...given),
    onResponseStart: (...given) => handler.onResponseStart?.(...given),
    onResponseData: (...given) => handler.onResponseData?.(...given),
    onResponseEnd: (...given) => handler.onResponseEnd?.(...given),
    onResponseError: (...given) => handler.onResponseError?.(...given),
  };
}
