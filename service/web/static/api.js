// Starts the viewer of the OpenAPI description.
const viewer = document.querySelector("#viewer");
SwaggerUIBundle({ url: viewer.dataset.description, domNode: viewer, deepLinking: true, validatorUrl: null });
