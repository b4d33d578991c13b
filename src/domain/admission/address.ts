import ipaddr from "ipaddr.js";

/**
 * The unit in which an internet address is counted: an IPv4 address, or an IPv6 /64, because one household (and one
 * attacker) holds a whole /64 (RFC 6177). Mapped IPv4 addresses count as IPv4.
 *
 * @returns null for text that is no address
 */
export function addressUnit(text: string): string | null {
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.process(text);
  if (address.kind() === "ipv4") return address.toString();
  const [network] = ipaddr.IPv6.parseCIDR(`${address.toString()}/64`);
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${network.toString()}/64`).toString()}/64`;
}

/**
 * The network an address lies in, coarse enough not to identify a person: the /24 (IPv4) or the /48 (IPv6), the smallest that
 * are routed on the internet.
 *
 * @returns null for text that is no address
 */
export function subnetOf(text: string): string | null {
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.process(text);
  return address.kind() === "ipv4"
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/24`).toString()}/24`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/48`).toString()}/48`;
}

/** True when the address lies in one of the ranges (CIDR notation, or single addresses). */
export function isInAddressRanges(text: string, ranges: readonly string[]): boolean {
  if (ranges.length === 0 || !ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some((range) => {
    const [network, bits] = parseRange(range);
    return network.kind() === address.kind() && address.match(network, bits);
  });
}

/** True for an address or a CIDR range. */
export function isAddressRange(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
}

function parseRange(range: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (range.includes("/")) return ipaddr.parseCIDR(range);
  const address = ipaddr.process(range);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
