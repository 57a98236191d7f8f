"""The front door: a URL becomes a store."""

from simstore.domain.store import Store


def connect(url: str) -> Store:
    """Open the store of `url`: ``memory://``, ``sqlite:///file.db``.

    Nothing is imported or opened for a backend before this call. Use the store as a context
    manager, or close it.

    Raises:
        StoreURLError: the URL's scheme or an option is unknown, or a value is wrong.
        BackendUnavailableError: the backend cannot be reached or opened.
        MissingDependencyError: the backend needs an extra that is not installed.
    """
    from simstore.adapters.registry import open_store  # noqa: PLC0415 — keeps `import simstore` light

    return open_store(url)
