#!/usr/bin/env bash
# The whole way with curl, against `npm start`: send, read the code in the local inbox, verify. Prints the proof.
set -euo pipefail

tollgate=${TOLLGATE:-http://localhost:8787}
inbox=${INBOX:-http://localhost:8790}
phone=${PHONE:-+919876543210}

# The text of this name in a JSON answer.
field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }

# A send that is repeated with the same key is the same message.
key=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
session=$(curl -sS --fail-with-body "$tollgate/v1/send" \
  -H 'content-type: application/json' -H "Idempotency-Key: $key" \
  -d "{\"phone\": \"$phone\", \"flow\": \"signup\", \"captcha_token\": \"XXXX.DUMMY.TOKEN.XXXX\"}" | field session)

# The newest message comes first, and the code is its first number.
code=$(curl -sS --fail --get "$inbox/messages" --data-urlencode "to=$phone" |
  grep -oE '"body": *"[^"]*' | head -n 1 | grep -oE '[0-9]{4,10}' | head -n 1)

curl -sS --fail-with-body "$tollgate/v1/verify" \
  -H 'content-type: application/json' -d "{\"session\": \"$session\", \"code\": \"$code\"}" | field proof
