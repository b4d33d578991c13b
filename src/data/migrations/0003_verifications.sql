-- The ledger with one row for each verification. Only new tables: the rows of `ledger`, `ledger_numbers` and `ledger_addresses` are moved
-- by the Worker, batch by batch, and a Worker of before this migration goes on writing there until it is replaced.
-- Times are milliseconds since 1970. People are keyed hashes (`*_tag`), and `tag_key` names the key that made them.

-- A row of more than about a thousand bytes takes a page of 4096 more: what is written often is short.
CREATE TABLE IF NOT EXISTS verifications (
  -- The correlation id; of an event without one (posture, operator_action) the event's own id.
  id TEXT PRIMARY KEY,
  -- Of its first event and of its last.
  at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  -- Facts that its events share. An event that differs says so itself.
  session_id TEXT,
  flow TEXT,
  country TEXT,
  prefix TEXT,
  block TEXT,
  asn INTEGER,
  subnet TEXT,
  address_tag TEXT,
  number_tag TEXT,
  user_tag TEXT,
  tag_key TEXT,
  provider TEXT,
  channel TEXT,
  message_id TEXT,
  action TEXT,
  reasons TEXT,
  -- JSON array in the order of arrival: what each event has of its own, `{"kind":"sent","of":".0","at":...}`. An event's id is its kind,
  -- the row's id and `of`, unless `id` says otherwise. `without` has a bit for each fact above that the event does not have, session_id
  -- being the lowest. `number` and `address` are sealed (`<key id>.<nonce>.<ciphertext>`, associated data: the event's id).
  events TEXT NOT NULL
) WITHOUT ROWID;
-- The only two: questions about anything else look through a stretch of time.
CREATE INDEX IF NOT EXISTS verifications_by_at ON verifications (at);
CREATE INDEX IF NOT EXISTS verifications_by_number ON verifications (number_tag) WHERE number_tag IS NOT NULL;

-- The events one by one, with the columns of `ledger`. `began_at`, `verification` and `place` are their order.
CREATE VIEW IF NOT EXISTS ledger_events AS
SELECT
  verifications.at AS began_at,
  verifications.last_at AS last_at,
  verifications.id AS verification,
  event.key AS place,
  coalesce(event.value ->> 'id', (event.value ->> 'kind') || '.' || verifications.id || coalesce(event.value ->> 'of', '')) AS id,
  event.value ->> 'kind' AS kind,
  event.value ->> 'at' AS at,
  iif(event.value ->> 'id' = verifications.id, NULL, verifications.id) AS correlation_id,
  iif(json_type(event.value, '$.session_id') IS NULL, iif(event.value ->> 'without' & 1, NULL, verifications.session_id), event.value ->> 'session_id') AS session_id,
  iif(json_type(event.value, '$.flow') IS NULL, iif(event.value ->> 'without' & 2, NULL, verifications.flow), event.value ->> 'flow') AS flow,
  iif(json_type(event.value, '$.country') IS NULL, iif(event.value ->> 'without' & 4, NULL, verifications.country), event.value ->> 'country') AS country,
  iif(json_type(event.value, '$.prefix') IS NULL, iif(event.value ->> 'without' & 8, NULL, verifications.prefix), event.value ->> 'prefix') AS prefix,
  iif(json_type(event.value, '$.block') IS NULL, iif(event.value ->> 'without' & 16, NULL, verifications.block), event.value ->> 'block') AS block,
  iif(json_type(event.value, '$.asn') IS NULL, iif(event.value ->> 'without' & 32, NULL, verifications.asn), event.value ->> 'asn') AS asn,
  iif(json_type(event.value, '$.subnet') IS NULL, iif(event.value ->> 'without' & 64, NULL, verifications.subnet), event.value ->> 'subnet') AS subnet,
  iif(json_type(event.value, '$.address_tag') IS NULL, iif(event.value ->> 'without' & 128, NULL, verifications.address_tag), event.value ->> 'address_tag') AS address_tag,
  iif(json_type(event.value, '$.number_tag') IS NULL, iif(event.value ->> 'without' & 256, NULL, verifications.number_tag), event.value ->> 'number_tag') AS number_tag,
  iif(json_type(event.value, '$.user_tag') IS NULL, iif(event.value ->> 'without' & 512, NULL, verifications.user_tag), event.value ->> 'user_tag') AS user_tag,
  iif(json_type(event.value, '$.tag_key') IS NULL, iif(event.value ->> 'without' & 1024, NULL, verifications.tag_key), event.value ->> 'tag_key') AS tag_key,
  iif(json_type(event.value, '$.provider') IS NULL, iif(event.value ->> 'without' & 2048, NULL, verifications.provider), event.value ->> 'provider') AS provider,
  iif(json_type(event.value, '$.channel') IS NULL, iif(event.value ->> 'without' & 4096, NULL, verifications.channel), event.value ->> 'channel') AS channel,
  iif(json_type(event.value, '$.message_id') IS NULL, iif(event.value ->> 'without' & 8192, NULL, verifications.message_id), event.value ->> 'message_id') AS message_id,
  iif(json_type(event.value, '$.action') IS NULL, iif(event.value ->> 'without' & 16384, NULL, verifications.action), event.value ->> 'action') AS action,
  iif(json_type(event.value, '$.reasons') IS NULL, iif(event.value ->> 'without' & 32768, NULL, verifications.reasons), event.value ->> 'reasons') AS reasons,
  event.value ->> 'cost' AS cost_micros,
  event.value ->> 'dlt' AS dlt_micros,
  event.value ->> 'code' AS code,
  event.value ->> 'number' AS sealed_number,
  event.value ->> 'address' AS sealed_address,
  -- Of a sent event the latest word of its receipts, in whatever order they came: delivered is the last.
  CASE
    WHEN event.value ->> 'kind' <> 'sent' OR event.value ->> 'receipt' NOT IN ('accepted', 'unknown', 'undelivered') THEN event.value ->> 'receipt'
    WHEN instr(verifications.events, '{"kind":"delivered","of":"' || (event.value ->> 'of') || '"') > 0 THEN 'delivered'
    WHEN instr(verifications.events, '{"kind":"undelivered","of":"' || (event.value ->> 'of') || '"') > 0 THEN 'undelivered'
    ELSE event.value ->> 'receipt'
  END AS receipt,
  -- Of a sent event: 1 once its verification came.
  event.value ->> 'kind' = 'sent' AND instr(verifications.events, '{"kind":"verified"') > 0 AS verified
FROM verifications, json_each(verifications.events) AS event;
