"""Who may call, and what each caller is allowed: the trust file, tokens, keys. No Flask, no medicine."""
