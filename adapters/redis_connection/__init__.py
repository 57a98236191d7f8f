"""What the adapters of Redis share: settings from a URL, connections, scripts, errors made ours."""
