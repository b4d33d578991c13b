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
