"""Fixtures for programs that test against Countertop: found by pytest as soon as countertop is installed."""

from __future__ import annotations
