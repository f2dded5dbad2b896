"""What can go wrong with the store itself.

    StoreTrouble
    ├── Unavailable    the database does not answer just now: full disk, locked file, lost connection; it heals by itself
    │   ├── Overloaded   too much is waiting already
    │   └── Contended    a unit lost every race it ran
    └── Defect         a statement that the database does not understand: a bug

No text of these holds a value that was on its way into the database, and none carries the driver's exception, which may.
"""

from __future__ import annotations

from countertop.domain.errors import CountertopError


class StoreTrouble(CountertopError):
    """Root of the store's own errors."""


class Unavailable(StoreTrouble):
    """The database cannot be used at the moment. Nothing was acknowledged; asking again later is right."""


class Overloaded(Unavailable):
    """More units wait than may wait."""


class Contended(Unavailable):
    """The unit was run again and again, and something else was quicker each time."""


class Defect(StoreTrouble):
    """The database refused a statement for a reason that trying again does not mend."""
