import { escapeUnsafe, replaceUnsafe } from "../../model/unsafe-text.ts";

// Text of agents in other people's formats (SEMANTICS 26).

/** What a spreadsheet takes for the beginning of a formula, also behind space; full-width forms count in East Asian editions (OWASP, CSV Injection). */
const FORMULA = /^\s*[=+\-@\t\r\n＝＋－＠]/u;

/**
 * One cell of CSV (RFC 4180). Text is quoted where it must be; text that a spreadsheet would take for a formula is quoted always and begins with `'`.
 * Numbers and booleans are ours and stay as they are; undefined is an empty cell.
 */
export function csvCell(value: string | number | boolean | undefined): string {
  if (value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = replaceUnsafe(value, (character) => (character === "\r" ? "\n" : "")).toWellFormed();
  if (FORMULA.test(value) || FORMULA.test(text)) return `"'${text.replaceAll('"', '""')}"`;
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Text for an element or attribute of XML 1.0: what XML does not admit, even escaped, is removed (section 2.2), and so is what hides text. */
export function xmlText(text: string): string {
  return escapeMarkup(replaceUnsafe(text.toWellFormed(), () => "").replaceAll(/[\ufffe\uffff]/g, "")).replaceAll("\n", "&#10;");
}

/** Text for an element or attribute of HTML; control characters and marks of direction are shown as what they are. */
export function htmlText(text: string): string {
  return escapeMarkup(replaceUnsafe(text.toWellFormed(), (character) => (character < " " ? String.fromCodePoint(0x2400 + character.charCodeAt(0)) : "\ufffd")));
}

function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/**
 * Text as one line of Markdown that shows exactly that: every sign that could mean something there is escaped (CommonMark 2.4), line breaks become spaces, and
 * mentions, references and bare addresses are broken up, so that hosts of Markdown link nothing.
 */
export function markdownText(text: string): string {
  const line = replaceUnsafe(text.toWellFormed(), (character) => (character === "\r" ? " " : "")).replaceAll(/\s+/g, " ");
  return line
    .trim()
    .replaceAll(/[\\`*_{}[\]()<>#|~&@:=$^!]|^[-+]|(?<=^\d+)[.]/g, "\\$&")
    .replaceAll(/\\[@#]|(?<=https?|ftp|mailto|xmpp)\\:|(?<=www)\./gi, "$&<!-- -->");
}

/** JSON text that can stand in a script element of HTML: no markup, nothing that hides text. */
export function jsonInHtml(value: unknown): string {
  return escapeUnsafe(JSON.stringify(value)).replaceAll(/[<>&]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
