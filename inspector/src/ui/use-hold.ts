import { useMemo, useRef } from "preact/hooks";

/** Handlers of a list in which somebody may be about to press something. */
export interface HoldHandlers {
  readonly onPointerEnter: () => void;
  readonly onPointerLeave: () => void;
  readonly onFocusIn: (event: FocusEvent) => void;
  readonly onFocusOut: () => void;
}

/** Tells when somebody points at a list, by pointer or by keyboard, and when no more: so long nothing may move in it. */
export function useHold(changed: (isHeld: boolean) => void): HoldHandlers {
  const latest = useRef(changed);
  latest.current = changed;
  return useMemo(() => {
    const by = { pointer: false, focus: false };
    const set = (what: keyof typeof by, now: boolean): void => {
      const before = by.pointer || by.focus;
      by[what] = now;
      if (before !== (by.pointer || by.focus)) latest.current(!before);
    };
    return {
      onPointerEnter: () => set("pointer", true),
      onPointerLeave: () => set("pointer", false),
      // By keyboard: what was clicked has the focus, too, long after the pointer has gone.
      onFocusIn: ({ target }) => set("focus", target instanceof Element && target.matches(":focus-visible")),
      onFocusOut: () => set("focus", false),
    };
  }, []);
}
