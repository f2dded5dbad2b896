"""A reader without hardware: cards by name, for demonstrations and tests.

The numbers are the examples of the API's documentation, and public test numbers of card brands.
"""

from __future__ import annotations

from typing import Final

CARDS: Final = {
    "gift": ";7090112233654321?",
    "membership": "%B924696827707852^?;924696827707852=?",
    "unreadable": "%E?;E?",
    "bank": "%B4111111111111111^CARDHOLDER/TEST^25121010000000000000?;4111111111111111=25121010000000000000?",
}
"""Name → what a reader types. The last two are refused: as a bad read, and as a payment card."""
