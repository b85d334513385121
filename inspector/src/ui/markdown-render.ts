import createDOMPurify from "dompurify";
import { Marked } from "marked";

// What agents say is anybody's text. It becomes markup here and nowhere else: Markdown to HTML, and of that only what cannot act, load or pretend.

/** HTML inside of Markdown is shown as what it is: text. */
const marked = new Marked({ gfm: true, breaks: true, renderer: { html: ({ text }) => escapeHtml(text) } });

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

const TAGS =
  "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong del s sub sup kbd a img table thead tbody tr th td input details summary span".split(" ");
const ATTRIBUTES = ["href", "src", "alt", "title", "start", "align", "type", "checked", "disabled", "open"];

const purify = createDOMPurify(window);
purify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("target", "_blank");
    node.setAttribute("rel", "noopener noreferrer nofollow");
  } else if (node.tagName === "IMG" && !isOurs(node.getAttribute("src") ?? "")) {
    // A picture from elsewhere would tell its server who reads: it is a link.
    const link = document.createElement("a");
    link.textContent = `Picture: ${node.getAttribute("alt") ?? node.getAttribute("src") ?? ""}`;
    const source = node.getAttribute("src") ?? "";
    if (/^https?:/i.test(source)) link.setAttribute("href", source);
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noopener noreferrer nofollow");
    node.replaceWith(link);
  } else if (node.tagName === "PRE" || node.tagName === "TABLE") {
    // What may be wider than the page is scrolled by keys too.
    node.setAttribute("tabindex", "0");
  } else if (node.tagName === "INPUT") {
    // Of inputs only the boxes of task lists.
    if (node.getAttribute("type") !== "checkbox") node.remove();
    else node.setAttribute("disabled", "");
  }
});

/** Pictures that are in the text itself, or files of this server: any other address of it could do something when it is fetched. */
function isOurs(source: string): boolean {
  if (/^data:image\/(?:png|jpeg|gif|webp|avif);/i.test(source)) return true;
  const url = URL.canParse(source, location.href) ? new URL(source, location.href) : undefined;
  return url?.origin === location.origin && /^\/api\/(?:files|blobs)\//.test(url.pathname);
}

/** HTML of Markdown that is safe to show. Typed as text for the view; it is a TrustedHTML where the browser has them. */
export function toSafeHtml(markdown: string): string {
  const html = marked.parse(markdown, { async: false });
  return purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_TRUSTED_TYPE: true,
  }) as unknown as string;
}

/** Cuts a growing Markdown text into blocks that will not change any more, and the rest. */
export function splitBlocks(markdown: string): { readonly settled: readonly string[]; readonly rest: string } {
  const tokens = marked.lexer(markdown);
  // The last block may go on, whatever it is: a list or a quotation even after a blank line.
  const last = tokens.findLastIndex(({ type }) => type !== "space");
  return collect(
    tokens.slice(0, Math.max(0, last)).map(({ raw }) => raw),
    markdown,
  );
}

function collect(settled: readonly string[], markdown: string): { readonly settled: readonly string[]; readonly rest: string } {
  const length = settled.reduce((sum, raw) => sum + raw.length, 0);
  // A lexer that has changed the text (tabs, line ends) gives no places in it: then all of it is made anew.
  return markdown.startsWith(settled.join(""))
    ? { settled: settled.filter((raw) => raw !== ""), rest: markdown.slice(length) }
    : { settled: [], rest: markdown };
}
