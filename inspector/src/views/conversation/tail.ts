import type { Block } from "../../state/blocks.ts";

/** Of a transcript about so much is drawn, UTF-16 units: a browser lays out a book, but not with every token. */
export const SHOWN_CHARS = 300_000;

/** What a block takes beside its text: its elements. */
const BLOCK_CHARS = 300;

/** The first block that is drawn, so that the last ones that fit into `chars` are; at least the last one is. */
export function firstShown(blocks: readonly Block[], chars: number): number {
  let left = chars;
  let first = blocks.length;
  while (first > 0) {
    const block = blocks[first - 1];
    if (block === undefined) break;
    left -= sizeOf(block);
    if (left < 0 && first < blocks.length) break;
    first -= 1;
  }
  return first;
}

function sizeOf(block: Block): number {
  switch (block.kind) {
    case "text":
    case "reasoning":
      return BLOCK_CHARS + block.text.length;
    case "tool":
      return BLOCK_CHARS + (block.arguments?.length ?? 0) + (block.output?.length ?? 0);
    case "parts":
      return BLOCK_CHARS * (1 + block.parts.length);
    case "user":
    case "delegation":
    case "approvals":
    case "form":
    case "notice":
      return BLOCK_CHARS;
  }
}
