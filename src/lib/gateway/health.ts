import { type Page, methodNotAllowed } from "../net/page.ts";

/** `/healthz`: the process answers. `/readyz`: it takes new work; 503 while it drains. */
export function healthPage(ready: () => boolean): Page {
  return async ({ method, url }) => {
    if (url.pathname !== "/healthz" && url.pathname !== "/readyz") return undefined;
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
    const ok = url.pathname === "/healthz" || ready();
    return { status: ok ? 200 : 503, headers: { "content-type": "text/plain", "cache-control": "no-store" }, body: ok ? "ok\n" : "draining\n" };
  };
}
