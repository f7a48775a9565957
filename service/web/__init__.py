"""HTTP: blueprints, status codes and CORS. Nothing clinical happens here."""
