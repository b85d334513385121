import type { RefObject } from "preact";
import { scrollTo } from "../frames/virtual.ts";
import { ARROW_HEIGHT, HEAD_HEIGHT } from "./arrow-row.tsx";

/** So many arrows a page. */
const PAGE = 10;

/** Up and down go from arrow to arrow, Home and End to the first and the last; Escape is `onEscape`. Gives what a key press does. */
export function useArrowKeys(box: RefObject<HTMLElement | null>, rows: number, onEscape: () => void): (event: KeyboardEvent) => void {
  return (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || box.current === null) return;
    const element = box.current;
    const held = event.target instanceof HTMLElement ? event.target.dataset["arrow"] : undefined;
    const here = held === undefined ? undefined : Number(held);
    const goals: Readonly<Record<string, number>> = {
      ArrowDown: here === undefined ? 0 : here + 1,
      ArrowUp: here === undefined ? rows - 1 : here - 1,
      PageDown: (here ?? 0) + PAGE,
      PageUp: (here ?? rows) - PAGE,
      Home: 0,
      End: rows - 1,
    };
    const goal = goals[event.key];
    if (event.key === "Escape") onEscape();
    else if (goal !== undefined && rows > 0) focusArrow(element, Math.min(rows - 1, Math.max(0, goal)), rows);
    else return;
    event.preventDefault();
  };
}

/** Brings an arrow into sight, and puts the focus on it once it is drawn. */
function focusArrow(box: HTMLElement, row: number, rows: number): void {
  // The names at the top cover a stretch of what is scrolled.
  box.scrollTop = scrollTo(row, { scrollTop: box.scrollTop, height: box.clientHeight - HEAD_HEIGHT, rowHeight: ARROW_HEIGHT, rows });
  const look = (tries: number): void => {
    const arrow = box.querySelector(`[data-arrow="${row}"]`);
    if (arrow instanceof HTMLElement) arrow.focus({ preventScroll: true });
    else if (tries > 0) requestAnimationFrame(() => look(tries - 1));
  };
  look(10);
}
