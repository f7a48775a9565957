"""tolami: a CDS Hooks service that advises on drugs at order entry. Start at ``service.app``."""
