/** How long `Retry-After` asks to wait, ms: it is seconds, or a date that is compared with `now` (ms since the epoch). Undefined without it, or for what is neither. */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
