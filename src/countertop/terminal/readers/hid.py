"""MagTek SureSwipe readers in HID mode: from an input report to a stripe.

The report (337 bytes, no report id) has for each of three tracks a decode status, a length and a field of 110 bytes, sentinels
included; what is in a field beyond its length is undefined. Source: MagTek 99875191, "USB HID manual". Encrypting readers send
other, longer reports, so a length that is not exactly right is not this reader's.
"""

from __future__ import annotations

from typing import Final

from countertop.domain.errors import NotReadable

VENDOR: Final = 0x0801
PRODUCT: Final = 0x0002
REPORT: Final = 337

_STATUS: Final = 0
_LENGTH: Final = 3
_TRACKS: Final = 7
_FIELD: Final = 110
_ERROR: Final = 0x01
_DAMAGED: Final = ("%E?", ";E?", "+E?")
"""What a keyboard reader types for a track that it could not decode; so both kinds are screened alike."""


def parse_report(report: bytes) -> str:
    """The stripe in a report, as a wedge reader would type it, without a terminator; "" if every track is blank.

    Raises NotReadable if it is not such a report.
    """
    if len(report) != REPORT:
        raise NotReadable(f"a report has {REPORT} bytes")
    return "".join(_track(report, number) for number in range(3))


def _track(report: bytes, number: int) -> str:
    if report[_STATUS + number] & _ERROR:
        return _DAMAGED[number]
    length = report[_LENGTH + number]
    if length > _FIELD:
        raise NotReadable("a track is longer than its field")
    start = _TRACKS + number * _FIELD
    track = report[start : start + length]
    if not track.isascii():
        raise NotReadable("a track is not ASCII")
    return track.decode("ascii")
