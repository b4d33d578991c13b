-- The ledger: what happened, one row per event. Times are milliseconds since 1970. No number and no address stands in it:
-- people are keyed hashes (`*_tag`), and the key that made the hashes is named beside them (`tag_key`).

CREATE TABLE IF NOT EXISTS ledger (
  seq INTEGER PRIMARY KEY,
  -- Says what happened to what, so that an event that comes twice is one row.
  id TEXT NOT NULL UNIQUE,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  correlation_id TEXT,
  session_id TEXT,
  flow TEXT,
  -- Of the number: ISO 3166-1 alpha-2, without its last 7 digits, without its last 4.
  country TEXT,
  prefix TEXT,
  block TEXT,
  -- Of whoever asked: AS number, the /24 (IPv4) or /48 (IPv6), a hash of the address.
  asn INTEGER,
  subnet TEXT,
  address_tag TEXT,
  number_tag TEXT,
  user_tag TEXT,
  tag_key TEXT,
  provider TEXT,
  channel TEXT,
  message_id TEXT,
  -- Price without the DLT fee, and the DLT fee, in millionths of the price table's currency.
  cost_micros INTEGER,
  dlt_micros INTEGER,
  -- The verdict, and the names of its reasons separated by spaces.
  action TEXT,
  reasons TEXT,
  -- What became of a message: accepted, unknown, delivered, undelivered; of a sent row the latest word.
  receipt TEXT,
  -- Problem code of a refusal, error code of a receipt, posture, or what an operator did.
  code TEXT,
  -- Of a sent row: 1 once its verification came.
  verified INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS ledger_by_at ON ledger (at);
CREATE INDEX IF NOT EXISTS ledger_by_kind ON ledger (kind, at);
CREATE INDEX IF NOT EXISTS ledger_by_correlation ON ledger (correlation_id);
CREATE INDEX IF NOT EXISTS ledger_by_number ON ledger (number_tag, at) WHERE number_tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_user ON ledger (user_tag, at) WHERE user_tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_address ON ledger (address_tag, at) WHERE address_tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_country ON ledger (country, at) WHERE country IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_block ON ledger (block, at) WHERE block IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_network ON ledger (asn, at) WHERE asn IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_provider ON ledger (provider, at) WHERE provider IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_action ON ledger (action, at) WHERE action IS NOT NULL;
CREATE INDEX IF NOT EXISTS ledger_by_code ON ledger (code, at) WHERE code IS NOT NULL;

-- Numbers that got a message, encrypted (`<key id>.<nonce>.<ciphertext>`, associated data: the event's id).
CREATE TABLE IF NOT EXISTS ledger_numbers (
  event_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  sealed TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_numbers_by_at ON ledger_numbers (at);
-- What a key that is to go still holds.
CREATE INDEX IF NOT EXISTS ledger_numbers_by_key ON ledger_numbers (key_id);

-- Addresses that asked, encrypted in the same way.
CREATE TABLE IF NOT EXISTS ledger_addresses (
  event_id TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  sealed TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS ledger_addresses_by_at ON ledger_addresses (at);
CREATE INDEX IF NOT EXISTS ledger_addresses_by_key ON ledger_addresses (key_id);

-- How many requests were refused, exactly; the ledger's rows of refusals are a bounded sample. `at` is the minute's start.
CREATE TABLE IF NOT EXISTS refusals (
  at INTEGER NOT NULL,
  -- all, code, country, flow or network.
  dimension TEXT NOT NULL,
  subject TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (at, dimension, subject)
);

-- How far the ledger's upkeep has come: counted refusals, enforced retention.
CREATE TABLE IF NOT EXISTS ledger_upkeep (
  name TEXT PRIMARY KEY,
  at INTEGER NOT NULL,
  -- JSON
  report TEXT NOT NULL
);
