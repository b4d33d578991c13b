const LEVELS = ["block", "prefix", "country", "network", "address", "unknown", "odd", "overall"];

/** Budgets that stop nothing, for tests about what comes before or after them. */
export const ROOMY = {
  exposure: { ...Object.fromEntries(LEVELS.map((level) => [level, { base: 500 }])), block_density: 10_000 },
  risk: { many_numbers: 1000 },
};
