"""What is said and why: one Markdown file a card, its sources, terminology and order templates, and their loader."""
