"use strict";
// Language, theme, filters, deep links, values of the learning curves, printing.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
  const say = (en, ko) => (root.lang === "ko" ? ko : en);

  // Texts that are attributes or options; all others stand in the page twice.
  function applyLanguage() {
    for (const element of $$("[data-ko]")) {
      const text = element.dataset[root.lang];
      if (element.tagName === "OPTION") element.textContent = text;
      else if (element.tagName === "IMG") element.alt = text;
      else element.setAttribute("aria-label", text);
    }
    filter();
    document.dispatchEvent(new Event("labs-language"));
  }

  $("#language").addEventListener("click", () => {
    root.lang = root.lang === "ko" ? "en" : "ko";
    kept.set("labs-language", root.lang);
    applyLanguage();
  });

  $("#theme").addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    kept.set("labs-theme", root.dataset.theme);
    document.dispatchEvent(new Event("labs-theme"));
  });

  // Filters
  const articles = $$("article");
  const entries = new Map($$("[data-of]").map((entry) => [entry.dataset.of, entry]));
  const form = $(".filters");

  function filter() {
    const words = $("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const lecture = $("#lecture").value;
    const topic = $("#topic").value;
    const kind = $("#kind-filter").value;
    const verdict = $("#verdict-filter").value;
    const judgedSo = (pair) => {
      const [of, word] = pair.split(":");
      return (!kind || of === kind) && (!verdict || word === verdict);
    };
    let shown = 0;
    for (const article of articles) {
      const { search, documents, topics, judged } = article.dataset;
      const fits =
        words.every((word) => search.includes(word)) &&
        (!lecture || documents.split(" ").includes(lecture)) &&
        (!topic || topics.split("|").includes(topic)) &&
        ((!kind && !verdict) || judged.split("|").some(judgedSo));
      article.hidden = !fits;
      entries.get(article.id).hidden = !fits;
      shown += fits;
    }
    $("#nothing").hidden = shown > 0;
    $("#shown").textContent = say(
      `${shown} of ${articles.length} recipes`,
      `레시피 ${articles.length}개 중 ${shown}개`,
    );
  }

  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter)); // after the fields are empty

  for (const tile of $$(".tile")) {
    tile.addEventListener("click", () => {
      const { kind, verdict, opens } = tile.dataset;
      if (opens) {
        const details = document.getElementById(opens);
        if (!details) return;
        details.open = true;
        details.scrollIntoView();
        $("summary", details).focus({ preventScroll: true });
        return;
      }
      form.reset();
      $("#kind-filter").value = kind ?? "";
      $("#verdict-filter").value = verdict ?? "";
      filter();
      go($("#recipes"));
    });
  }

  // Deep links: what is asked for is shown, whatever the filters say.
  function go(target) {
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  function follow() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.hidden) {
      form.reset();
      filter();
    }
    go(target);
  }
  addEventListener("hashchange", follow);
  for (const link of $$('a[href^="#"]')) {
    // A link to where one is already changes no hash, but may have been filtered away.
    link.addEventListener("click", () => link.hash === location.hash && follow());
  }

  // Values of the learning curves, under the pointer or by arrow keys.
  const charts = JSON.parse($("#charts").textContent);

  function number(value) {
    return Number(value.toPrecision(4)).toString();
  }

  function told(values, unit) {
    const there = values.filter((value) => value !== null);
    if (!there.length) return "";
    const mean = there.reduce((sum, value) => sum + value, 0) / there.length;
    const low = Math.min(...there);
    const high = Math.max(...there);
    const spread = there.length > 1 ? ` (${number(low)} – ${number(high)})` : "";
    return `${number(mean)}${unit ? " " + unit : ""}${spread}`;
  }

  for (const figure of $$("figure.chart")) {
    const chart = charts[figure.closest("article").id][figure.dataset.chart];
    const { epochs, series, unit } = chart;
    const picture = $("svg", figure);
    const cursor = $(".cursor", picture);
    let index = epochs.length - 1;

    function show(at) {
      index = Math.max(0, Math.min(epochs.length - 1, at));
      const span = epochs[epochs.length - 1] - epochs[0];
      const x = (320 * (epochs[index] - epochs[0])) / span;
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
      cursor.setAttribute("visibility", "visible");
      $$("output", figure).forEach((output, row) => {
        output.textContent = told(series[row].seeds.map((seed) => seed[index]), unit);
      });
      $(".at", figure).textContent = say(
        `epoch ${epochs[index]}: mean (lowest – highest seed)`,
        `에포크 ${epochs[index]}: 평균 (가장 낮은 – 높은 시드)`,
      );
    }

    picture.addEventListener("pointermove", (event) => {
      const place = new DOMPoint(event.clientX, event.clientY);
      const { x } = place.matrixTransform(picture.getScreenCTM().inverse());
      const epoch = epochs[0] + (x / 320) * (epochs[epochs.length - 1] - epochs[0]);
      const far = epochs.map((each) => Math.abs(each - epoch));
      show(far.indexOf(Math.min(...far)));
    });
    picture.addEventListener("focus", () => show(index));
    picture.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      show(index + step);
    });
  }

  // On paper everything is open; afterwards as it was.
  let closed = [];
  function open() {
    closed = closed.concat($$("details:not([open])"));
    for (const details of closed) details.open = true;
  }
  function close() {
    for (const details of closed) details.open = false;
    closed = [];
  }
  addEventListener("beforeprint", open);
  addEventListener("afterprint", close);

  if (matchMedia("(max-width: 40rem)").matches) $(".index").open = false;
  applyLanguage();
  follow();
})();
