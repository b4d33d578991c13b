/** What the page must know of its service and the API does not tell. */
export interface DevSettings {
  flows: string[];
  /** Where the sandbox provider delivers; null when it is not known. */
  inbox_url: string | null;
}
