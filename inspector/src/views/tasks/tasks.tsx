import type { VNode } from "preact";

/** All tasks. */
export function Tasks(): VNode {
  return (
    <div class="page">
      <h1>Tasks</h1>
    </div>
  );
}
