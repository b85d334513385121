import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Part } from "../../../src/lib/model/a2a.ts";
import { sizeWords } from "../state/words.ts";
import { Icon } from "./icon.tsx";
import { Markdown } from "./markdown.tsx";

/** Parts of a message or artifact: pictures are shown, sound and films played, other files offered, data as it is. */
export function Parts({ parts }: { readonly parts: readonly Part[] }): VNode {
  return (
    <div class="parts">
      {parts.map((part, at) => (
        <OnePart key={at} part={part} />
      ))}
    </div>
  );
}

function OnePart({ part }: { readonly part: Part }): VNode | null {
  if (part.text !== undefined) return <Markdown text={part.text} />;
  if (part.data !== undefined) return <Data value={part.data} />;
  return <FilePart part={part} />;
}

function Data({ value }: { readonly value: unknown }): VNode {
  return (
    <pre class="data" tabIndex={0}>
      {JSON.stringify(value, undefined, 2)}
    </pre>
  );
}

/** The kinds that a browser shows by itself, and that cannot run anything: no SVG, no HTML. */
const PICTURE = /^image\/(?:png|jpeg|gif|webp|avif|bmp)$/;

function FilePart({ part }: { readonly part: Part }): VNode {
  const { mediaType = "application/octet-stream", filename } = part;
  const url = useFileUrl(part);
  const name = filename ?? mediaType;
  if (url === undefined) return <div class="file muted">{name}: nothing is in it</div>;
  const isOurs = url.startsWith("blob:") || new URL(url, location.href).origin === location.origin;
  const type = mediaType.toLowerCase().split(";", 1)[0] ?? "";
  if (isOurs && PICTURE.test(type))
    return (
      <figure class="picture">
        <img src={url} alt={filename ?? "Picture"} loading="lazy" />
        {filename !== undefined && <figcaption>{filename}</figcaption>}
      </figure>
    );
  if (isOurs && type.startsWith("audio/"))
    return (
      <figure class="sound">
        <audio controls preload="metadata" src={url} aria-label={name} />
        <figcaption>{name}</figcaption>
      </figure>
    );
  if (isOurs && type.startsWith("video/"))
    return (
      <figure class="film">
        <video controls preload="metadata" src={url} aria-label={name} />
        <figcaption>{name}</figcaption>
      </figure>
    );
  const about = [mediaType, part.raw === undefined ? undefined : sizeWords((part.raw.length * 3) / 4)].filter((word) => word !== undefined).join(" · ");
  if (!isOurs && !/^https?:/i.test(url)) return <div class="file muted">{name}: at an address that a browser does not open</div>;
  return (
    <a class="file button" href={url} {...(isOurs ? { download: filename ?? "file" } : { target: "_blank", rel: "noopener noreferrer nofollow" })}>
      <Icon name="file" />
      <span class="cut-text">{filename ?? (isOurs ? "File" : url)}</span>
      <span class="muted small">{about}</span>
    </a>
  );
}

/** Where a browser finds a file: its address, or an address of the page's own for bytes that came with it. */
function useFileUrl({ raw, url, mediaType }: Part): string | undefined {
  const made = useMemo(() => {
    if (raw === undefined) return undefined;
    try {
      const bytes = Uint8Array.from(atob(raw), (character) => character.charCodeAt(0));
      // What could run in the page's own name is only ever saved.
      const type = /^(?:image\/(?!svg)|audio\/|video\/)/.test(mediaType ?? "") ? mediaType : "application/octet-stream";
      return URL.createObjectURL(new Blob([bytes], { type: type ?? "application/octet-stream" }));
    } catch {
      return undefined;
    }
  }, [raw, mediaType]);
  useEffect(
    () => () => {
      if (made !== undefined) URL.revokeObjectURL(made);
    },
    [made],
  );
  return made ?? (url !== undefined && URL.canParse(url, location.href) ? url : undefined);
}
