import { IasError } from "../../model/errors.ts";

/** Cities that no time zone is called after, and what people call some zones. */
const MORE: Readonly<Record<string, string>> = {
  utc: "UTC",
  gmt: "UTC",
  beijing: "Asia/Shanghai",
  mumbai: "Asia/Kolkata",
  delhi: "Asia/Kolkata",
  "new delhi": "Asia/Kolkata",
  bangalore: "Asia/Kolkata",
  osaka: "Asia/Tokyo",
  japan: "Asia/Tokyo",
  munich: "Europe/Berlin",
  frankfurt: "Europe/Berlin",
  hamburg: "Europe/Berlin",
  germany: "Europe/Berlin",
  geneva: "Europe/Zurich",
  milan: "Europe/Rome",
  barcelona: "Europe/Madrid",
  france: "Europe/Paris",
  england: "Europe/London",
  "san francisco": "America/Los_Angeles",
  seattle: "America/Los_Angeles",
  california: "America/Los_Angeles",
  boston: "America/New_York",
  washington: "America/New_York",
  miami: "America/New_York",
  nyc: "America/New_York",
  austin: "America/Chicago",
  houston: "America/Chicago",
  montreal: "America/Toronto",
  "rio de janeiro": "America/Sao_Paulo",
  "cape town": "Africa/Johannesburg",
};

/**
 * The IANA time zone of a zone's or city's name, in any case.
 * @throws IasError `invalid-params` when none is known.
 */
export function zoneOf(place: string): string {
  const wanted = place.trim().toLowerCase().replaceAll(/\s+/g, " ");
  const more = Object.hasOwn(MORE, wanted) ? MORE[wanted] : undefined;
  if (more !== undefined) return more;
  const path = wanted.replaceAll(" ", "_");
  const zone = Intl.supportedValuesOf("timeZone").find((one) => one.toLowerCase() === path || one.toLowerCase().endsWith(`/${path}`));
  if (zone !== undefined) return zone;
  throw new IasError("invalid-params", `No time zone is known for "${place}". Give a large city, or a zone such as Asia/Tokyo.`);
}

/** Date and time there, in words: "Friday, 20 November 2026, 08:15 (Asia/Tokyo, UTC+9)". */
export function timeIn(place: string, now: Date): string {
  const timeZone = zoneOf(place);
  const words = new Intl.DateTimeFormat("en-GB", { timeZone, weekday: "long", day: "numeric", month: "long", year: "numeric" }).format(now);
  const clock = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit" }).format(now);
  const offset = new Intl.DateTimeFormat("en-GB", { timeZone, timeZoneName: "shortOffset" }).formatToParts(now).find(({ type }) => type === "timeZoneName");
  const name = (offset?.value ?? "UTC").replace("GMT", "UTC");
  return `${words}, ${clock} (${timeZone === "UTC" ? timeZone : `${timeZone}, ${name}`})`;
}
