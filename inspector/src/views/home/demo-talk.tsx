import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { paths } from "../../router.ts";
import { openStream } from "../../state/stream.ts";
import { useTranscript } from "../../state/use-transcript.ts";
import { PhasePill } from "../../ui/phase.tsx";

/** Two agents talking, on the first visit: a field of one height, so that nothing moves while they do. */
export function DemoTalk({ agent, task }: { readonly agent: string; readonly task: string }): VNode {
  const stream = useMemo(() => openStream(agent, task), [agent, task]);
  useEffect(() => () => stream.close(), [stream]);
  const { blocks } = useTranscript(stream);
  const box = useRef<HTMLOListElement>(null);
  const version = stream.version.value;
  useEffect(() => {
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [version]);
  const lines = blocks.flatMap((block) => {
    if (block.kind === "user") return [{ id: block.id, who: "this page", text: block.message.parts.map(({ text }) => text ?? "").join("") }];
    if (block.kind === "text") return [{ id: block.id, who: block.path === "" ? agent : block.path, text: block.text }];
    return block.kind === "delegation" ? [{ id: block.id, who: block.from, text: `asks ${block.to}` }] : [];
  });
  return (
    <section class="card demo" aria-labelledby="demo-title">
      <div class="page-head">
        <h2 id="demo-title">Two agents, talking</h2>
        <PhasePill phase={stream.phase.value} />
      </div>
      <ol class="demo-lines" ref={box} tabIndex={0} aria-label="What they say">
        {lines.map(({ id, who, text }) => (
          <li key={id}>
            <span class="who">{who}</span>
            <span>{text}</span>
          </li>
        ))}
      </ol>
      <p class="small muted">
        A demonstration that this page began: the built-in agents answer from a script, without a key or a model, and nothing leaves this machine.{" "}
        <a href={paths.task(agent, task, { view: "lanes" })}>See this stream as lanes</a>
      </p>
    </section>
  );
}
