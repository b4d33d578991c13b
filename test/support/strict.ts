/** The shipped defaults of the decision, which development loosens. */
export const STRICT = {
  exposure: {
    block_density: 30,
    block: { base: 3 },
    prefix: { base: 500 },
    country: { base: 5, gain: 0.5 },
    network: { base: 500 },
    address: { base: 3 },
    unknown: { base: 10 },
    odd: { base: 10 },
    overall: { base: 30 },
    known: {
      number: { base: 4 },
      device: { base: 4 },
      block: { base: 10 },
      country: { base: 20 },
      overall: { base: 60 },
    },
    proven: { country: { base: 10 }, overall: { base: 30 } },
    reference_price_micros: 60_000,
  },
  risk: { many_numbers: 5, record_only: [] },
};
