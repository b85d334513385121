import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { kindOf, summaryOf } from "../frames/describe.ts";
import { isAtEnd, windowOf } from "../frames/virtual.ts";
import { spanText } from "../lanes/scale.ts";
import { paths } from "../router.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import { FILE_AGENT } from "../state/held-file.ts";
import type { StreamStore } from "../state/stream.ts";
import { useSize } from "../ui/use-size.ts";
import { type Arrow, belongs, createSequence, type Participant, type Sequence } from "./model.ts";
import { ArrowRow, ARROW_HEIGHT, type Columns, HEAD_HEIGHT } from "./arrow-row.tsx";
import "./sequence.css";

/** The least width of a participant's column, px. */
const COLUMN_PX = 150;
/** Of an arrow's entries so many are listed; the rest is in the frames. */
const LISTED = 200;

/** The tab Sequence: who told whom what, live; each arrow opens its entries. */
export function SequenceView({ replay }: TaskViewProps): VNode {
  const stream = replay.shown;
  const diagram = useDiagram(stream);
  const scrollTop = useSignal(0);
  const opened = useSignal<number | undefined>(undefined);
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box, { width: 800, height: 400 });
  const following = useRef(true);

  const { participants, arrows } = diagram;
  const width = Math.max(size.value.width, participants.length * COLUMN_PX);
  const columns: Columns = new Map(participants.map(({ id }, index) => [id, ((index + 0.5) * width) / participants.length]));
  const viewport = { scrollTop: Math.max(0, scrollTop.value - HEAD_HEIGHT), height: size.value.height, rowHeight: ARROW_HEIGHT, rows: arrows.length };
  const { first, end, offset, height } = windowOf(viewport);

  useEffect(() => {
    if (following.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [arrows.length]);

  const arrow = opened.value === undefined ? undefined : arrows[opened.value];
  return (
    <>
      <div class={arrow === undefined ? "sequence" : "sequence open"}>
        <div
          ref={box}
          class="sequence-plot"
          tabIndex={0}
          role="region"
          aria-label={`Sequence of ${arrows.length} messages among ${participants.length}`}
          onScroll={(event) => {
            scrollTop.value = event.currentTarget.scrollTop;
            following.current = isAtEnd({ ...viewport, scrollTop: event.currentTarget.scrollTop });
          }}
        >
          <Heads participants={participants} width={width} />
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
                  origin={stream.entries[0]?.at ?? 0}
                  isOpen={one.index === opened.value}
                  onOpen={() => (opened.value = one.index === opened.value ? undefined : one.index)}
                />
              ))}
            </ol>
          </div>
        </div>
        {arrow !== undefined && <ArrowEntries stream={stream} arrow={arrow} />}
      </div>
    </>
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

function ArrowEntries({ stream, arrow }: { readonly stream: StreamStore; readonly arrow: Arrow }): VNode {
  const agent = stream.source === "file" ? FILE_AGENT : stream.agent;
  const all = stream.entries.filter(({ seq }) => belongs(seq, arrow));
  const origin = stream.entries[0]?.at ?? 0;
  return (
    <section class="sequence-entries" aria-label="The arrow's entries">
      <h2>{arrow.label === "" ? arrow.kind : arrow.label}</h2>
      <p class="small muted">
        {arrow.entries === 1 ? "One entry" : `${arrow.entries} entries`}, {spanText(arrow.at - origin, 10)}
        {arrow.until > arrow.at ? ` to ${spanText(arrow.until - origin, 10)}` : ""}
      </p>
      <ol>
        {all.slice(0, LISTED).map((entry) => (
          <li key={entry.seq}>
            <a class="num" href={paths.task(agent, stream.task, { view: "frames", at: entry.seq })}>
              #{entry.seq}
            </a>{" "}
            <span class="muted small">{kindOf(entry.event)}</span> <span class="mono">{summaryOf(entry, 300)}</span>
          </li>
        ))}
      </ol>
      {all.length > LISTED && <p class="small muted">And {all.length - LISTED} more.</p>}
    </section>
  );
}
