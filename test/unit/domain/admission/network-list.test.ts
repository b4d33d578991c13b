import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseNetworkList } from "../../../../src/domain/admission/source.ts";

describe("a list without fault becomes owners by number", () => {
  test.each([
    ["plain", "asn,owner\n24940,Hetzner\n16276,OVHcloud"],
    ["comments and empty lines", "# ours\n\nasn,owner\n# Germany\n24940,Hetzner\n\n16276,OVHcloud\n"],
    ["the other order and Windows line ends", "owner,asn\r\nHetzner,24940\r\nOVHcloud,16276\r\n"],
  ])("%s", (_, text) => {
    const networks = new Map([
      [24940, "Hetzner"],
      [16276, "OVHcloud"],
    ]);
    expect(parseNetworkList(text)).toEqual({ ok: true, networks });
  });

  test("a header alone names nobody", () => {
    expect(parseNetworkList("asn,owner\n")).toEqual({ ok: true, networks: new Map() });
  });

  test("numbers of 32 bits are read", () => {
    expect(parseNetworkList("asn,owner\n4294967294,Last")).toMatchObject({ ok: true });
  });
});

describe("every fault is named by line and column", () => {
  const range = "asn is not a whole number from 1 to 4294967294";

  test.each([
    [range, "0,Nobody"],
    [range, "-5,Nobody"],
    [range, "AS24940,Hetzner"],
    [range, "24940.5,Hetzner"],
    [range, ",Hetzner"],
    [range, "4294967295,Nobody"],
    ["owner is empty", "24940,"],
    ["asn is that of line 2", "16276,OVH again"],
    ["has 3 fields instead of 2", "24940,Hetzner, Germany"],
    ["has 1 fields instead of 2", "24940"],
    ["has a quotation mark, and quoted fields are not read", '24940,"Hetzner"'],
  ])("%s: %s", (fault, line) => {
    expect(parseNetworkList(`asn,owner\n16276,OVHcloud\n${line}`)).toEqual({
      ok: false,
      faults: [`line 3: ${fault}`],
    });
  });

  test.each([
    ["", ["line 1: the header is missing"]],
    ["asn\n24940", ["line 1: column owner is missing"]],
    [
      "24940,Hetzner",
      [
        "line 1: column asn is missing",
        "line 1: column owner is missing",
        "line 1: column 24940 is unknown",
        "line 1: column Hetzner is unknown",
      ],
    ],
  ])("%j", (text, faults) => {
    expect(parseNetworkList(text)).toEqual({ ok: false, faults });
  });
});

describe("the shipped list", () => {
  const list = parseNetworkList(readFileSync("src/data/hosting-asns.csv", "utf8"));
  const networks = list.ok ? list.networks : new Map<number, string>();

  test("parses without fault and has at least 150 networks", () => {
    expect(list).toMatchObject({ ok: true });
    expect(networks.size).toBeGreaterThanOrEqual(150);
  });

  test.each([
    [16509, "Amazon"],
    [396982, "Google Cloud"],
    [8075, "Azure"],
    [16276, "OVH"],
    [24940, "Hetzner"],
    [14061, "DigitalOcean"],
    [63949, "Linode"],
    [20473, "Vultr"],
    [9009, "M247"],
    [212238, "Datacamp"],
    [60781, "Leaseweb"],
    [45102, "Alibaba"],
    [132203, "Tencent"],
    [31898, "Oracle"],
    [53667, "BuyVM"],
    [210644, "Aeza"],
    [39351, "Mullvad"],
    [136787, "NordVPN"],
  ])("%d is %s", (asn, owner) => {
    expect(networks.get(asn)).toContain(owner);
  });

  test.each([
    [13335, "Cloudflare: WARP"],
    [36183, "Akamai: iCloud Private Relay"],
    [54113, "Fastly: iCloud Private Relay"],
    [714, "Apple"],
    [22616, "Zscaler: employees of many companies"],
    [174, "Cogent: transit"],
    [6939, "Hurricane Electric: transit"],
    [35540, "OVH Telecom: access lines"],
    [29447, "Iliad Italia: access lines"],
    [7922, "Comcast"],
    [3320, "Deutsche Telekom"],
    [55836, "Reliance Jio"],
    [45609, "Bharti Airtel, mobile"],
    [36873, "an access network in Nigeria that other lists call hosting"],
    [394330, "an access network in the USA that other lists call hosting"],
  ])("%d is not on it (%s)", (asn) => {
    expect(networks.has(asn)).toBe(false);
  });

  const reference = "../shared/data/hosting_asns.csv";
  test.skipIf(!existsSync(reference))(
    `180 of it are on a public list too (skipped without ${reference})`,
    () => {
      const theirs = new Set(
        Array.from(readFileSync(reference, "utf8").matchAll(/^"?(\d+)"?,/gm), (match) => Number(match[1])),
      );
      const both = [...networks.keys()].filter((asn) => theirs.has(asn));
      expect(theirs.size).toBeGreaterThan(700);
      expect(both.length).toBeGreaterThanOrEqual(180);
    },
  );
});
