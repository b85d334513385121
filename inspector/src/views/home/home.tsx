import type { VNode } from "preact";

/** The start. */
export function Home({ view }: { readonly view: "overview" | "lanes" }): VNode {
  return (
    <div class="page">
      <h1>{view === "lanes" ? "Live lanes" : "Agents"}</h1>
    </div>
  );
}
