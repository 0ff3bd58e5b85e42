"""Who is asking, and what they may: tokens of our own, OIDC, a proxy that looked, groups in LDAP."""
