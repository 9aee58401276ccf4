"use strict";
// Filters. They are hidden without scripts; the page is complete without them.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const find = document.getElementById("find");
  const errors = document.getElementById("errors");
  const shown = document.getElementById("shown");
  const states = [...form.querySelectorAll("input[name=state]")];
  const pocs = [...document.querySelectorAll("article[data-name]")].map((article) => ({
    article,
    row: document.querySelector(`tr[data-poc="${article.dataset.name}"]`),
    text: article.textContent.toLowerCase(),
  }));
  const apply = () => {
    const wanted = new Set(states.filter((box) => box.checked).map((box) => box.value));
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { article, row, text } of pocs) {
      const fits = wanted.has(article.dataset.state)
        && (!errors.checked || article.dataset.errors !== "0")
        && words.every((word) => text.includes(word));
      article.hidden = row.hidden = !fits;
      count += fits;
    }
    shown.textContent = `${count} of ${pocs.length} shown`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = pocs.length < 2;
  // Browsers keep form values when a page is reloaded.
  apply();
})();
