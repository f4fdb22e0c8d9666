"""Print the catalogue as docs/database.md shows it: `python -m shared.database.catalogue`."""

from shared.database.catalogue.tables import catalogue_tables

if __name__ == "__main__":
    print(catalogue_tables())
