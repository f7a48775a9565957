// Starts the viewer of the OpenAPI description, which calls this service where the page came from, whatever name it has
// there. What a screen reader or the keyboard trips over in the viewer is put right as it is drawn.
const viewer = document.querySelector("#viewer");
const regions = [[".information-container", "About the service"], [".scheme-container", "Server and token"]];
const repair = () => {
  viewer.querySelector("#servers")?.setAttribute("aria-label", "Server");
  for (const [part, label] of regions) {
    viewer.querySelector(part)?.setAttribute("role", "region");
    viewer.querySelector(part)?.setAttribute("aria-label", label);
  }
  viewer.querySelector(".info .title")?.setAttribute("aria-level", "2");
  for (const text of viewer.querySelectorAll("pre:not([tabindex])")) text.tabIndex = 0; // it scrolls
};
new MutationObserver(repair).observe(viewer, { childList: true, subtree: true });
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches); // the viewer's own dark look
dark.addEventListener("change", follow);
follow();
fetch(viewer.dataset.description).then((answer) => answer.json()).then((description) => SwaggerUIBundle({
  spec: { ...description, servers: [{ url: location.origin + viewer.dataset.root }] },
  domNode: viewer, deepLinking: false, validatorUrl: null, defaultModelsExpandDepth: 0,
}));
