/**
 * The part of an ioredis client that the local Upstash service uses. An ioredis `Redis` fits as it is; so does the
 * one in memory.
 */
export interface RedisClient {
  call(name: string, ...args: string[]): Promise<unknown>;
  multi(): RedisTransaction;
}

export interface RedisTransaction {
  call(name: string, ...args: string[]): unknown;
  /** One `[error, result]` for each command, or null when Redis gave the whole transaction up. */
  exec(): Promise<[error: Error | null, result: unknown][] | null>;
}
