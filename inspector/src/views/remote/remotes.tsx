import type { VNode } from "preact";

/** Any A2A agent, by its address. */
export function Remotes(): VNode {
  return (
    <div class="page">
      <h1>Any agent</h1>
    </div>
  );
}
