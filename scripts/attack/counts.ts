/** What came of those who asked. */
export interface Counts {
  asked: number;
  sent: number;
  verified: number;
  /** By problem code. */
  refused: Map<string, number>;
}

export const newCounts = (): Counts => ({ asked: 0, sent: 0, verified: 0, refused: new Map() });

/** For people: `40 asked, 9 sent, 0 verified, 31 refused (challenge_required 20, too_many_requests 11)`. */
export function describeCounts({ asked, sent, verified, refused }: Counts): string {
  const codes = [...refused].toSorted(([, a], [, b]) => b - a);
  const total = codes.reduce((sum, [, count]) => sum + count, 0);
  const by = codes.length === 0 ? "" : ` (${codes.map(([code, count]) => `${code} ${count}`).join(", ")})`;
  return `${asked} asked, ${sent} sent, ${verified} verified, ${total} refused${by}`;
}
