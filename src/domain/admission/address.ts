import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Reads an address as the IPv4 address it stands for, where it stands for one: mapped (::ffff:0:0/96), translated for hosts
 * with IPv6 alone (64:ff9b::/96, RFC 6052) or tunnelled (6to4, 2002::/16, RFC 3056). Its IPv6 form has 2^32 units or more.
 */
function readAddress(text: string): Address {
  const address = ipaddr.process(text);
  if (!(address instanceof ipaddr.IPv6)) return address;
  const bytes = address.toByteArray();
  if (address.match(TRANSLATED, 96)) return new ipaddr.IPv4(bytes.slice(12));
  return address.match(TUNNELLED, 16) ? new ipaddr.IPv4(bytes.slice(2, 6)) : address;
}

const TRANSLATED = ipaddr.IPv6.parse("64:ff9b::");
const TUNNELLED = ipaddr.IPv6.parse("2002::");

/**
 * The unit in which an internet address is counted: an IPv4 address, or an IPv6 /64, because one household (and one
 * attacker) holds a whole /64 (RFC 6177). An IPv6 address that stands for an IPv4 one counts as that.
 *
 * @returns null for text that is no address
 */
export function addressUnit(text: string): string | null {
  if (!ipaddr.isValid(text)) return null;
  const address = readAddress(text);
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
  const address = readAddress(text);
  return address.kind() === "ipv4"
    ? `${ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/24`).toString()}/24`
    : `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/48`).toString()}/48`;
}

/** True when the address, or the IPv4 address it stands for, lies in one of the ranges (CIDR notation, or single addresses). */
export function isInAddressRanges(text: string, ranges: readonly string[]): boolean {
  if (ranges.length === 0 || !ipaddr.isValid(text)) return false;
  const forms = [ipaddr.process(text), readAddress(text)];
  return ranges.some((range) => {
    const [network, bits] = parseRange(range);
    return forms.some((address) => network.kind() === address.kind() && address.match(network, bits));
  });
}

/** True for an address or a CIDR range. */
export function isAddressRange(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
}

function parseRange(range: string): [Address, number] {
  if (range.includes("/")) return ipaddr.parseCIDR(range);
  const address = ipaddr.process(range);
  return [address, address.kind() === "ipv4" ? 32 : 128];
}
