/** Escapes that keep foreign text from acting as HTML or Markdown. */

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML, between tags and in quoted attributes. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, "�").replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? "");

/** Text for a line of Markdown: nothing in it is markup, and it stays on its line. */
export const escapeMarkdown = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, " ").replaceAll(/[\\`*_{}[\]<>#|~!&]/g, "\\$&");
