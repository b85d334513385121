const MAX_LENGTH = 150;

/** Names that Windows gives to devices, whatever the ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;

/** Whether a name that somebody sent has a part of a path that leads upwards. */
export function isTraversal(name: string): boolean {
  return name
    .replaceAll(/%(2e|2f|5c)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .split(/[/\\]/)
    .some((part) => part.trim() === "..");
}

/**
 * A file name that any system keeps and shows as it is: the last part of a path, without control, invisible and direction-changing characters, without what
 * Windows forbids, at most 150 characters with its ending; "file" where nothing is left.
 */
export function cleanFilename(name: string): string {
  const base = name.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029\u115f\u1160\u3164\uffa0]/gu, "").replace(/^.*[/\\]/s, "");
  const plain = base
    .normalize("NFC")
    .replaceAll(/[<>:"|?*]/g, "_")
    .replaceAll(/\s+/g, " ")
    .replace(/^[\s.]+|[\s.]+$/g, "");
  const safe = DEVICE.test(plain) ? `_${plain}` : plain;
  if (safe === "") return "file";
  const ending = /\.[\w-]{1,16}$/.exec(safe)?.[0] ?? "";
  const letters = Array.from(safe.slice(0, safe.length - ending.length));
  // Counted in UTF-16, cut between characters.
  while (letters.join("").length + ending.length > MAX_LENGTH) letters.length = Math.min(letters.length - 1, MAX_LENGTH - ending.length);
  return `${letters.join("").trimEnd()}${ending}`;
}
