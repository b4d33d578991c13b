/** Types that the Worker has as globals and Node has not, for the few files of src/ that scripts run. */
type CryptoKey = import("node:crypto").webcrypto.CryptoKey;

interface Fetcher {
  fetch: typeof fetch;
}
