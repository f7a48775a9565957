// Starts the viewer of the OpenAPI description. What a screen reader trips over in it is put right once it stands.
const viewer = document.querySelector("#viewer");
SwaggerUIBundle({
  url: viewer.dataset.description, domNode: viewer, deepLinking: false, validatorUrl: null,
  onComplete: () => {
    viewer.querySelector("#servers")?.setAttribute("aria-label", "Server");
    for (const [part, label] of [[".information-container", "About the service"], [".scheme-container", "Server and token"]]) {
      viewer.querySelector(part)?.setAttribute("role", "region");
      viewer.querySelector(part)?.setAttribute("aria-label", label);
    }
    viewer.querySelector(".info .title")?.setAttribute("aria-level", "2");
  },
});
