"""What the adapters of Redis share: settings from a URL, clients, and errors made ours."""
