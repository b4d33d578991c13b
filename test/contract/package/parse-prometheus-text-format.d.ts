declare module "parse-prometheus-text-format" {
  /** Families of the text format, as prom2json writes them. */
  export default function parsePrometheusTextFormat(text: string): {
    name: string;
    help: string;
    type: string;
    metrics: Record<string, unknown>[];
  }[];
}
