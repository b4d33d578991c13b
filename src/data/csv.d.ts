/** wrangler hands `.csv` files over as text (`[[rules]]` in wrangler.toml). */
declare module "*.csv" {
  const text: string;
  export default text;
}
