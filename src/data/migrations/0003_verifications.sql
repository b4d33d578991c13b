-- The ledger with one row for each verification. Only new tables: the rows of `ledger`, `ledger_numbers` and `ledger_addresses` are moved
-- by the Worker, batch by batch, and a Worker of before this migration goes on writing there until it is replaced.
-- Times are milliseconds since 1970. People are keyed hashes (`*_tag`), and `tag_key` names the key that made them.

CREATE TABLE IF NOT EXISTS verifications (
  -- The correlation id; of an event without one (posture, operator_action) the event's own id.
  id TEXT PRIMARY KEY,
  -- Of its first event and of its last.
  at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  number_tag TEXT,
  -- Facts that its events share. An event that differs says so itself.
  session_id TEXT,
  flow TEXT,
  country TEXT,
  prefix TEXT,
  block TEXT,
  asn INTEGER,
  subnet TEXT,
  address_tag TEXT,
  user_tag TEXT,
  tag_key TEXT,
  action TEXT,
  reasons TEXT,
  -- JSON array in the order of arrival, and what each event has of its own: `{"kind":"sent","of":".0","at":...}`. An event's id is its
  -- kind, the row's id and `of`, unless `id` says otherwise; `own` marks an event that shares nothing. Sealed numbers and addresses
  -- (`<key id>.<nonce>.<ciphertext>`, associated data: the event's id) are in `sealed_number` and `sealed_address`.
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
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.session_id') IS NULL, verifications.session_id, event.value ->> 'session_id') AS session_id,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.flow') IS NULL, verifications.flow, event.value ->> 'flow') AS flow,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.country') IS NULL, verifications.country, event.value ->> 'country') AS country,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.prefix') IS NULL, verifications.prefix, event.value ->> 'prefix') AS prefix,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.block') IS NULL, verifications.block, event.value ->> 'block') AS block,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.asn') IS NULL, verifications.asn, event.value ->> 'asn') AS asn,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.subnet') IS NULL, verifications.subnet, event.value ->> 'subnet') AS subnet,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.address_tag') IS NULL, verifications.address_tag, event.value ->> 'address_tag') AS address_tag,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.number_tag') IS NULL, verifications.number_tag, event.value ->> 'number_tag') AS number_tag,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.user_tag') IS NULL, verifications.user_tag, event.value ->> 'user_tag') AS user_tag,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.tag_key') IS NULL, verifications.tag_key, event.value ->> 'tag_key') AS tag_key,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.action') IS NULL, verifications.action, event.value ->> 'action') AS action,
  iif(event.value ->> 'own' IS NULL AND json_type(event.value, '$.reasons') IS NULL, verifications.reasons, event.value ->> 'reasons') AS reasons,
  event.value ->> 'provider' AS provider,
  event.value ->> 'channel' AS channel,
  event.value ->> 'message_id' AS message_id,
  event.value ->> 'cost_micros' AS cost_micros,
  event.value ->> 'dlt_micros' AS dlt_micros,
  event.value ->> 'code' AS code,
  event.value ->> 'sealed_number' AS sealed_number,
  event.value ->> 'sealed_address' AS sealed_address,
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
