import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import type * as Renderer from "./markdown-render.ts";

const renderer = signal<typeof Renderer | undefined>(undefined);
let asked = false;

/** Fetches what makes markup of Markdown, so that it is there before the first word. */
function preloadMarkdown(): void {
  if (asked) return;
  asked = true;
  import("./markdown-render.ts").then(
    (module) => {
      renderer.value = module;
    },
    () => {
      // Text stays text.
      asked = false;
    },
  );
}

/**
 * Markdown, safely, as it grows: what is complete (all but the last blocks) is made into markup once, only the end again with each new word. So a long answer costs
 * what is new of it, and nothing that was read moves.
 */
export function Markdown({ text }: { readonly text: string }): VNode {
  preloadMarkdown();
  const made = useRef<{ source: string; done: number; chunks: string[] }>({ source: "", done: 0, chunks: [] });
  const module = renderer.value;
  if (module === undefined) return <div class="md plain">{text}</div>;
  if (!text.startsWith(made.current.source.slice(0, made.current.done))) made.current = { source: "", done: 0, chunks: [] };
  const held = made.current;
  held.source = text;
  const { settled, rest } = module.splitBlocks(text.slice(held.done));
  for (const block of settled) {
    held.chunks.push(module.toSafeHtml(block));
    held.done += block.length;
  }
  return (
    <div class="md">
      {held.chunks.map((html, at) => (
        <div key={at} dangerouslySetInnerHTML={{ __html: html }} />
      ))}
      {rest !== "" && <div key="rest" dangerouslySetInnerHTML={{ __html: module.toSafeHtml(rest) }} />}
    </div>
  );
}
