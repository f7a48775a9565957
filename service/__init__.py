"""tolami: CDS Hooks service for tolperisone together with amitriptyline. Start at ``service.app``."""
