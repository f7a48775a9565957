"""Commands that ``service.cli`` takes in; each a module of its own."""
