import type { VNode } from "preact";

/** Talking to agents, side by side. */
export function Talk({ panes }: { readonly panes: readonly { readonly agent: string; readonly context: string | undefined }[] }): VNode {
  return (
    <div class="page">
      <h1>{panes.map(({ agent }) => agent).join(", ")}</h1>
    </div>
  );
}
