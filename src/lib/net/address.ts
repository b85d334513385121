import ipaddr from "ipaddr.js";

/**
 * What an address is to us: `public` is globally routable unicast, `loopback` is 127.0.0.0/8 and ::1, `private` is what an operator may run services on
 * (RFC 1918, unique local, carrier-grade NAT); `refused` is everything else: link-local (cloud metadata lives there), multicast, unspecified, reserved,
 * documentation, and every IPv6 form that carries an IPv4 address (mapped, compatible, translated, 6to4, NAT64, Teredo), because what it reaches depends on the network.
 */
export type Zone = "public" | "loopback" | "private" | "refused";

const PRIVATE: ReadonlySet<string> = new Set(["private", "uniqueLocal", "carrierGradeNat"]);

/** The zone of an IP address in its canonical text form (IPv6 without brackets). Anything that is not an address is `refused`. */
export function zoneOf(address: string): Zone {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return zoneOfRange(ipaddr.IPv4.parse(address).range(), true);
  if (!address.includes(":") || address.includes("%") || !ipaddr.IPv6.isValid(address)) return "refused";
  const parsed = ipaddr.IPv6.parse(address);
  const first = parsed.parts[0] ?? 0;
  // Only 2000::/3 is handed out for global unicast; ipaddr.js calls every range without a name "unicast" (IPv4-compatible ::/96 among them).
  return zoneOfRange(parsed.range(), first >= 0x2000 && first <= 0x3fff);
}

/** Whether a zone may be connected to. `private` covers loopback too; `refused` never is. */
export function isAllowed(zone: Zone, allow: { readonly local: boolean; readonly private: boolean }): boolean {
  switch (zone) {
    case "public":
      return true;
    case "loopback":
      return allow.local;
    case "private":
      return allow.private;
    case "refused":
      return false;
  }
}

/** The address that a URL's host spells, without IPv6 brackets, or undefined when it is a name. The URL parser has already folded decimal, octal, hexadecimal and short forms. */
export function literalAddress(hostname: string): string | undefined {
  if (hostname.startsWith("[") && hostname.endsWith("]")) return hostname.slice(1, -1);
  return ipaddr.IPv4.isValidFourPartDecimal(hostname) ? hostname : undefined;
}

/** Whether a host name or address (IPv6 without brackets) can only mean this machine. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || zoneOf(host) === "loopback";
}

/** Whether a URL spells loopback itself: who names it means it. A name that merely resolves to loopback does not count, `localhost` does. */
export function isLoopbackUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname.endsWith(".localhost") || isLoopbackHost(literalAddress(hostname) ?? hostname);
}

function zoneOfRange(range: string, global: boolean): Zone {
  if (range === "unicast") return global ? "public" : "refused";
  if (range === "loopback") return "loopback";
  return PRIVATE.has(range) ? "private" : "refused";
}
