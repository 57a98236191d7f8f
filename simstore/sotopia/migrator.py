"""``Migrator().run()``, which redis-om's users call before they ask for anything."""


class Migrator:
    """Does nothing: the store makes each index with the first record of its model."""

    def run(self) -> None:
        """Do nothing."""
