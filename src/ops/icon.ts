/** A gate's bar over a post. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f5fbf"/><path d="M8 24V10M8 13h17" stroke="#fff" stroke-width="3.5" stroke-linecap="round"/></svg>`;
