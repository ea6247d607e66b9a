"use strict";
// Before anything is drawn: the language and the theme of last time, so nothing flashes.
const kept = {
  get(name) {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // no storage here: a page opened from disk, a private window
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      // The choice holds until the page is closed.
    }
  },
};

const root = document.documentElement;
const darkSystem = matchMedia("(prefers-color-scheme: dark)");

function applyTheme() {
  const chosen = kept.get("labs-theme");
  root.dataset.theme = chosen ?? (darkSystem.matches ? "dark" : "light");
}

root.lang = kept.get("labs-language") ?? (navigator.language.startsWith("ko") ? "ko" : "en");
applyTheme();
darkSystem.addEventListener("change", applyTheme);
