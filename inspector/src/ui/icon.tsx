import type { VNode } from "preact";

/** Line icons on a grid of 20. */
const SHAPES = {
  home: "M3 9.5 10 4l7 5.5V16a1 1 0 0 1-1 1h-4v-5H8v5H4a1 1 0 0 1-1-1z",
  lanes: "M3 5h5M10 5h7M3 10h9M14 10h3M3 15h2M7 15h8",
  tasks: "M4 5h.01M8 5h8M4 10h.01M8 10h8M4 15h.01M8 15h8",
  remote: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c2.5 2 2.5 12 0 14M10 3c-2.5 2-2.5 12 0 14",
  campaigns: "M4 17V9M8 17V4M12 17v-6M16 17V7",
  talk: "M4 5h12v8H9l-4 3v-3H4z",
  sun: "M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.5M10 16.5V18M2 10h1.5M16.5 10H18M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1",
  moon: "M16 12a6.5 6.5 0 1 1-8-8 5.2 5.2 0 0 0 8 8z",
  system: "M3 4h14v9H3zM7 17h6M10 13v4",
  keyboard: "M2.5 5.5h15v9h-15zM5 8.5h.01M8 8.5h.01M11 8.5h.01M14.5 8.5h.01M6 11.8h8",
  attach: "m14 8-5 5a2 2 0 0 1-3-3l6-6a3.2 3.2 0 0 1 4.6 4.500l-6 6a4.6 4.6 0 0 1-6.5-6.500l5-5",
  send: "M10 16V4M5 9l5-5 5 5",
  stop: "M6 6h8v8H6z",
  close: "M5 5l10 10M15 5 5 15",
  plus: "M10 4v12M4 10h12",
  edit: "M4 16h3l9-9-3-3-9 9zM11 6l3 3",
  copy: "M7 7h9v9H7zM4 13V4h9",
  tool: "M12.5 3.500a4 4 0 0 0-4.8 5.300L3.5 13a2 2 0 0 0 3 3l4.3-4.200a4 4 0 0 0 5.3-4.800L13.5 9.5 11 9l-.5-2.500z",
  thought: "M10 3.500a5 5 0 0 0-3 9V15h6v-2.500a5 5 0 0 0-3-9zM8 17.500h4",
  arrow: "M4 10h12M11 5l5 5-5 5",
  check: "m4 10.5 4 4 8-9",
  cross: "M5 5l10 10M15 5 5 15",
  file: "M5 3h6l4 4v10H5zM11 3v4h4",
  search: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4zM13 13l4 4",
} as const;

/** The name of an icon. */
export type IconName = keyof typeof SHAPES;

/** An icon beside words that say the same, so that it is hidden from who hears the page. */
export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }): VNode {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={SHAPES[name]} />
    </svg>
  );
}
