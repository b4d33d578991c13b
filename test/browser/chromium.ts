import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PATH = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

export const hasChromium = existsSync(PATH);
if (!hasChromium) {
  console.warn(`The browser tests skip: no ${PATH} (install chromium, or name one in CHROMIUM_PATH).`);
}

export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath: PATH });

/** The script of axe, to be put into a page. */
export const AXE = new URL("../../node_modules/axe-core/axe.min.js", import.meta.url);
