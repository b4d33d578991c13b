/** The report's style sheet: for light and dark screens, and for paper. */
export const REPORT_STYLE = `
:root{color-scheme:light dark;--paper:#f7f6f2;--card:#fff;--ink:#1b1f24;--soft:#555e69;--line:#dfdcd3;--bad:#c03a19;--good:#2166a8;--wash:#f9e4db}
@media (prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1d2127;--ink:#e9ebee;--soft:#a3abb6;--line:#343a43;--bad:#f0764f;--good:#6cabe6;--wash:#43281f}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:68rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.15rem;margin:2.25rem 0 .6rem}
p{margin:.4rem 0;max-width:52rem}
.soft{color:var(--soft)}
.lead{font-size:1.1rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.75rem;margin:1.25rem 0}
.figures div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.75rem 1rem}
.figures dt{color:var(--soft);font-size:.85rem}
.figures dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.figures dd small{display:block;font-size:.8rem;color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.5rem .75rem;overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th{text-align:left;color:var(--soft);font-weight:600}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
.right{text-align:right;white-space:nowrap}
.nowrap{white-space:nowrap}
.fault{border-left:4px solid var(--bad);padding-left:.75rem}
svg{width:100%;height:auto;display:block}
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
.grid{stroke:var(--line)}
.answered{fill:var(--good)}
.unanswered{fill:var(--bad)}
.stretch{fill:var(--wash)}
.key span{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 1em}
.key span:first-child{margin-left:0}
.key .answered{background:var(--good)}.key .unanswered{background:var(--bad)}.key .stretch{background:var(--wash)}
@media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--bad:#c03a19;--good:#2166a8;--wash:#f9e4db}
body{font-size:10pt}main{max-width:none;padding:0}h2{break-after:avoid}tr,.figures div,svg{break-inside:avoid}.card{overflow:visible;border:0;padding:0}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
