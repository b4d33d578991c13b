/** What the page must know of its service and the API does not tell. */
export interface DevSettings {
  flows: string[];
  /** Of the policy's CAPTCHA, where every send needs its token; null elsewhere. */
  captcha_site_key: string | null;
  /** Where the sandbox provider delivers; null when it is not known. */
  inbox_url: string | null;
}
