import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { isFollowed, windowOf } from "../frames/virtual.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import type { StreamStore } from "../state/stream.ts";
import { useSize } from "../ui/use-size.ts";
import { createSequence, type Participant, type Sequence } from "./model.ts";
import { ArrowEntries } from "./arrow-entries.tsx";
import { useArrowKeys } from "./arrow-keys.ts";
import { ArrowRow, ARROW_HEIGHT, type Columns, HEAD_HEIGHT } from "./arrow-row.tsx";
import "./sequence.css";

/** The least width of a participant's column, px; on a narrow screen more of them are to be seen. */
const COLUMN_PX = { wide: 150, narrow: 104 } as const;
const NARROW_PX = 560;

/** The tab Sequence: who told whom what, live; each arrow opens its entries. */
export function SequenceView({ replay }: TaskViewProps): VNode {
  const stream = replay.shown;
  const diagram = useDiagram(stream);
  const scroll = useSignal({ top: 0, left: 0 });
  const opened = useSignal<number | undefined>(undefined);
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box, { width: 800, height: 400 });
  const following = useRef(true);

  const { participants, arrows } = diagram;
  const width = Math.max(size.value.width, participants.length * (size.value.width < NARROW_PX ? COLUMN_PX.narrow : COLUMN_PX.wide));
  const columns: Columns = new Map(participants.map(({ id }, index) => [id, ((index + 0.5) * width) / participants.length]));
  const viewport = { scrollTop: Math.max(0, scroll.value.top - HEAD_HEIGHT), height: size.value.height, rowHeight: ARROW_HEIGHT, rows: arrows.length };
  const { first, end, offset, height } = windowOf(viewport);
  const seen = { left: scroll.value.left, right: scroll.value.left + size.value.width };

  useEffect(() => {
    if (following.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [arrows.length, size.value.height]);
  const press = useArrowKeys(box, arrows.length, () => (opened.value = undefined));

  const arrow = opened.value === undefined ? undefined : arrows[opened.value];
  return (
    <div class={arrow === undefined ? "sequence" : "sequence open"}>
      <div
        ref={box}
        class="sequence-plot"
        tabIndex={0}
        role="region"
        aria-label={`Sequence of ${arrows.length} messages among ${participants.length}. Arrow keys go from one to the next, Enter opens its entries, Escape closes them.`}
        onKeyDown={press}
        onScroll={({ currentTarget }) => {
          const { top } = scroll.peek();
          scroll.value = { top: currentTarget.scrollTop, left: currentTarget.scrollLeft };
          following.current = isFollowed(following.current, top, { ...viewport, scrollTop: currentTarget.scrollTop });
        }}
      >
        <Heads participants={participants} width={width} />
        {arrows.length === 0 && <p class="lanes-empty muted">Nobody has said anything yet.</p>}
        <div class="sequence-body" style={{ width: `${width}px`, height: `${height + 12}px` }}>
          {[...columns.values()].map((x) => (
            <span key={x} class="sequence-life" style={{ left: `${x}px` }} />
          ))}
          <ol style={{ transform: `translateY(${offset}px)` }} start={first + 1}>
            {arrows.slice(first, end).map((one) => (
              <ArrowRow
                key={one.index}
                arrow={one}
                columns={columns}
                seen={seen}
                origin={stream.entries[0]?.at ?? 0}
                isOpen={one.index === opened.value}
                onOpen={() => (opened.value = one.index === opened.value ? undefined : one.index)}
              />
            ))}
          </ol>
        </div>
      </div>
      {arrow !== undefined && <ArrowEntries stream={stream} arrow={arrow} onClose={() => (opened.value = undefined)} />}
    </div>
  );
}

/** Who takes part, over their columns. */
function Heads({ participants, width }: { readonly participants: readonly Participant[]; readonly width: number }): VNode {
  return (
    <div class="sequence-head" style={{ width: `${width}px` }}>
      {participants.map(({ id, name, kind }) => (
        <div key={id} class={`sequence-who ${kind}`} style={{ width: `${width / participants.length}px` }}>
          <span class="cut-text" title={`${kind} ${name}`}>
            {name}
          </span>
          <span class="sr">, {kind}</span>
        </div>
      ))}
    </div>
  );
}

/** The diagram of a stream. It goes on where it was, and begins anew where the stream does. */
function useDiagram(stream: StreamStore): Sequence {
  const held = useRef<{ diagram: Sequence; count: number; stream: StreamStore; generation: number } | undefined>(undefined);
  const version = stream.version.value;
  const generation = stream.generation.value;
  return useMemo(() => {
    const { entries } = stream;
    let now = held.current;
    if (now === undefined || now.stream !== stream || now.generation !== generation) {
      now = { diagram: createSequence(stream.agent), count: 0, stream, generation };
      held.current = now;
    }
    if (entries.length > now.count) now.diagram.add(entries.slice(now.count));
    now.count = entries.length;
    return now.diagram;
  }, [stream, version, generation]);
}
