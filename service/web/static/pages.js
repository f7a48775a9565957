// Narrows a list to what was typed or chosen. Without script the whole list stands.
for (const bar of document.querySelectorAll("[data-filter]")) {
  bar.hidden = false;
  const typed = bar.querySelector("input");
  const chosen = bar.querySelector("select");
  const count = bar.querySelector("[data-count]");
  const items = [...document.querySelectorAll("[data-item]")];
  const narrow = () => {
    const words = typed.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const item of items) {
      const text = item.dataset.item.toLowerCase();
      const fits = words.every((word) => text.includes(word)) &&
        (!chosen || !chosen.value || item.dataset.severity === chosen.value);
      item.hidden = !fits;
      shown += fits;
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = !group.querySelector("[data-item]:not([hidden])");
    }
    count.textContent = shown === items.length ? "" : `${shown} of ${items.length}`;
  };
  typed.addEventListener("input", narrow);
  chosen?.addEventListener("change", narrow);
}
// A file that is dropped anywhere on the page is read into the box for a request.
const box = document.querySelector("textarea[data-drop]");
if (box) {
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", async (event) => {
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    box.value = await file.text();
    box.closest("details").open = true;
    box.focus();
  });
}
