import { afterEach, beforeEach, expect } from "vitest";
import { outsideState, resetOutside } from "./outside-control.ts";

beforeEach(resetOutside);

afterEach(async () => {
  const { unexpected } = await outsideState();
  expect(unexpected, "requests to the outside that no stand-in expects").toEqual([]);
});
