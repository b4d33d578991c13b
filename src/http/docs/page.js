const rapidoc = document.querySelector("rapi-doc");
const dark = matchMedia("(prefers-color-scheme: dark)");
const paint = () => rapidoc.setAttribute("theme", dark.matches ? "dark" : "light");
dark.addEventListener("change", paint);
paint();
