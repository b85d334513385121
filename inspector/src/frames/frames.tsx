import { type Signal, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { here, setQuery } from "../router.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import type { StreamStore } from "../state/stream.ts";
import { useSize } from "../ui/use-size.ts";
import { FrameDetail } from "./detail.tsx";
import { isEmpty, readQuery } from "./filter.ts";
import { createListing } from "./listing.ts";
import { pageOf } from "./fetch-page.ts";
import { createPages, type Pages } from "./pages.ts";
import { FrameRow, FrameToCome, ROW_HEIGHT } from "./row.tsx";
import { FrameTools } from "./tools.tsx";
import { useJudge } from "./use-judge.ts";
import { isFollowed, scrollTo, windowOf } from "./virtual.ts";
import "./frames.css";

/** How long a slice of work may take in a frame, ms. */
const SLICE_MS = 8;
/** What is typed comes into the address when the person pauses: browsers allow few changes of it. */
const TYPING_MS = 300;

/** The tab Frames: every entry as it is, filtered and searched, each held against the A2A specification. */
export function Frames({ replay }: TaskViewProps): VNode {
  const { stream } = replay;
  const { entries } = stream;
  const judge = useJudge(stream);
  const text = useAddressText();
  const scrollTop = useSignal(0);
  const beat = useSignal(0);
  const list = useRef<HTMLDivElement>(null);
  const size = useSize(list, { width: 0, height: 400 });
  /** Whether the list stays at its end as it grows. */
  const following = useRef(replay.seq.peek() === undefined);
  const listing = useMemo(() => createListing(readQuery(text.value), ({ seq }) => judge.bad().has(seq)), [text.value, judge, stream.generation.value]);

  void stream.version.value;
  void beat.value;
  const until = performance.now() + SLICE_MS;
  judge.advance(until);
  listing.advance(entries, judge.judged(), until, () => performance.now());
  const isBusy = !listing.isDone || judge.judged() < entries.length;
  useEffect(() => {
    if (!isBusy) return;
    const frame = requestAnimationFrame(() => (beat.value += 1));
    return () => cancelAnimationFrame(frame);
  });

  // What the page has let go is fetched where it is looked at; a search is of what is kept.
  const pages = usePages(stream, () => (beat.value += 1));
  const gone = stream.source === "server" && stream.before.value.count > 0 && isEmpty(readQuery(text.value)) ? (entries[0]?.seq ?? 1) - 1 : 0;
  const entryAt = (row: number): StreamEntry | undefined => (row >= 0 && row < gone ? pages.get(row + 1) : entries[listing.placeOf(row - gone)]);
  const rowOf = (seq: number): number => (seq <= gone ? seq - 1 : gone + listing.rowOf(seq, entries));
  const rows = gone + listing.length;
  const viewport = { scrollTop: scrollTop.value, height: size.value.height, rowHeight: ROW_HEIGHT, rows };
  const { first, end, offset, height: full } = windowOf(viewport);
  const chosen = replay.seq.value;
  const chosenRow = chosen === undefined ? undefined : Math.min(rows - 1, rowOf(chosen));

  // A chosen entry is brought into sight; without one the list follows its end.
  useEffect(() => {
    const box = list.current;
    if (box === null || rows === 0) return;
    if (chosenRow !== undefined) box.scrollTop = scrollTo(chosenRow, { ...viewport, scrollTop: box.scrollTop, height: box.clientHeight });
    else if (following.current) box.scrollTop = box.scrollHeight;
  }, [chosenRow, chosen === undefined ? rows : 0, full, size.value.height]);

  const choose = (row: number): void => {
    const place = Math.min(rows - 1, Math.max(0, row));
    const seq = place < gone ? place + 1 : entryAt(place)?.seq;
    if (seq !== undefined) replay.seekSeq(seq);
  };
  const press = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(size.peek().height / ROW_HEIGHT) - 1);
    const here = chosenRow ?? rows - 1;
    const goals: Readonly<Record<string, number>> = {
      ArrowDown: here + 1,
      ArrowUp: here - 1,
      PageDown: here + page,
      PageUp: here - page,
      Home: 0,
      End: rows - 1,
    };
    const goal = goals[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    choose(goal);
  };
  const entry = chosenRow === undefined ? undefined : entryAt(chosenRow);
  const shown = entry?.seq === chosen ? entry : undefined;
  return (
    <>
      <FrameTools
        stream={stream}
        text={text}
        rows={rows}
        gone={gone}
        problem={pages.problem}
        judged={judge.judged()}
        bad={judge.bad().size}
        isReady={judge.isReady()}
      />
      <div class={shown === undefined ? "frames" : "frames open"}>
        <div
          ref={list}
          class="frames-list"
          role="listbox"
          tabIndex={0}
          aria-label={`${rows} entries`}
          aria-activedescendant={shown === undefined ? undefined : `frame-${shown.seq}`}
          onKeyDown={press}
          onScroll={(event) => {
            const before = scrollTop.peek();
            scrollTop.value = event.currentTarget.scrollTop;
            following.current = isFollowed(following.current, before, { ...viewport, scrollTop: scrollTop.peek() });
          }}
        >
          <div role="presentation" style={{ height: `${full}px`, position: "relative" }}>
            <div role="presentation" style={{ transform: `translateY(${offset}px)` }}>
              {Array.from({ length: end - first }, (_, index) => {
                const one = entryAt(first + index);
                return one === undefined ? (
                  <FrameToCome key={first + index + 1} seq={first + index + 1} />
                ) : (
                  <FrameRow
                    key={one.seq}
                    entry={one}
                    origin={entries[0]?.at ?? 0}
                    breaks={judge.bad().get(one.seq)}
                    isChosen={one.seq === chosen}
                    isLater={chosen !== undefined && one.seq > chosen}
                    onChoose={() => replay.seekSeq(one.seq)}
                  />
                );
              })}
            </div>
          </div>
        </div>
        {shown !== undefined && (
          <FrameDetail stream={stream} entry={shown} breaks={judge.bad().get(shown.seq) ?? []} isJudged={judge.isReady()} onClose={() => replay.leave()} />
        )}
      </div>
    </>
  );
}

/** What is looked for. The address has it too, as soon as the person pauses: a link and a reload keep it. */
function useAddressText(): Signal<string> {
  const asked = here.value.searchParams.get("q") ?? "";
  const text = useSignal(asked);
  const written = useRef(asked);
  const now = text.value;
  useEffect(() => {
    // An address that comes from elsewhere is followed.
    if (asked !== written.current) text.value = asked;
    written.current = asked;
  }, [asked, text]);
  useEffect(() => {
    const timer = setTimeout(() => {
      written.current = now;
      setQuery({ q: now });
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [now]);
  return text;
}

/** Fetches entries that the page does not keep, while the view is shown. */
function usePages(stream: StreamStore, onChange: () => void): Pages {
  const latest = useRef(onChange);
  latest.current = onChange;
  const pages = useMemo(() => createPages(pageOf(stream), () => latest.current()), [stream]);
  useEffect(() => () => pages.close(), [pages]);
  return pages;
}
