/** A database that remembers its statements, and counts the rows they write as D1 bills them. */
export function watched(db: D1Database) {
  const statements: { sql: string; values: unknown[] }[] = [];
  let rows = 0;
  const count = <T extends { meta?: D1Meta }>(result: T): T => {
    rows += result.meta?.rows_written ?? 0;
    return result;
  };
  interface Watched extends Pick<D1PreparedStatement, "all" | "run"> {
    sql: string;
    values: unknown[];
    real: D1PreparedStatement;
    bind(...values: unknown[]): Watched;
  }
  const prepared = (sql: string, real: D1PreparedStatement, values: unknown[]): Watched => ({
    sql,
    values,
    real,
    bind: (...given) => prepared(sql, real.bind(...given), given),
    async all<T>() {
      statements.push({ sql, values });
      return count(await real.all<T>());
    },
    async run<T>() {
      statements.push({ sql, values });
      return count(await real.run<T>());
    },
  });
  return {
    db: {
      prepare: (sql: string) => prepared(sql, db.prepare(sql), []),
      async batch(batch: Watched[]) {
        statements.push(...batch.map(({ sql, values }) => ({ sql, values })));
        return (await db.batch(batch.map(({ real }) => real))).map(count);
      },
    } as unknown as D1Database,
    statements,
    rowsWritten: () => rows,
  };
}
