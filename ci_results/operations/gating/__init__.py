"""How a decision gets its facts: from the store at one commit, and first from outside where rules need it."""
