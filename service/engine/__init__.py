"""What is decided and rendered for any guideline: it names no drug."""
